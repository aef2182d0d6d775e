package io.millrace.core.wire;

import com.google.protobuf.MessageLite;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.proto.Empty;
import io.millrace.proto.Hello;
import io.millrace.proto.Notice;
import io.millrace.proto.Welcome;
import io.netty.buffer.ByteBuf;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * One connection to a node over TCP. Any thread may call; callbacks and notices run on the event
 * loop. Invariant: every request in {@code pending} was handed to the current line exactly once, in
 * the order of the table, or there is no line; so after a break nothing is lost, nothing is sent
 * twice on one line, and a payload is never read after its callback ran.
 *
 * <p>One connection carries bulk and small frames alike: a frame holds at most 4 MiB, so a small
 * reply waits for few milliseconds of bulk at most per bulk request in flight.
 */
public final class NettyNodeChannel implements NodeChannel {
  private static final int LOOP_OVERDRAFT = 4;
  private static final long BYE_WAIT_MILLIS = 1000;

  private final ChannelConfig config;
  private final WireLoops loops;
  private final LineKeeper keeper;
  private final AtomicLong nextId = new AtomicLong(1);
  private final Semaphore permits;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final Map<Long, PendingCall> pending = new LinkedHashMap<>();
  private ClientLine line;
  private volatile Welcome welcome;
  private FsException refusal;
  private boolean closed;
  private final HeldNotices listener = new HeldNotices();

  private NettyNodeChannel(ChannelConfig config) {
    this.config = config;
    this.permits = new Semaphore(config.inFlightMax());
    this.loops = new WireLoops("millrace-channel", config.loopThreads());
    this.keeper = new LineKeeper(config, loops, this);
  }

  /**
   * Connects and says HELLO.
   *
   * @throws FsException ECONNREFUSED nobody listens there; ETIMEDOUT no answer; EPROTO no common
   *     version
   */
  public static NettyNodeChannel open(ChannelConfig config) {
    var channel = new NettyNodeChannel(config);
    try {
      channel.keeper.connectFirst();
      channel.welcome();
      return channel;
    } catch (FsException e) {
      channel.abandon();
      throw e;
    }
  }

  @Override
  public void call(Op op, MessageLite header, MemorySegment payload, Callback callback) {
    boolean counted = !exempt(op) && takePermit();
    if (!counted && !exempt(op) && !overdraftLeft()) {
      callback.failed(new FsException(Errno.EAGAIN, "too many requests unanswered", "op", op));
      return;
    }
    var call = new PendingCall(nextId.getAndIncrement(), op, header, payload, callback, counted);
    ByteBuf head;
    try {
      head = call.encode(loops.allocator());
    } catch (FsException e) {
      finish(call);
      call.fail(e);
      return;
    }
    if (!add(call, head)) {
      head.release();
      finish(call);
      call.fail(new FsException(Errno.ECANCELED, "the channel to the node is closed", "op", op));
    }
  }

  @Override
  public Reply await(Op op, MessageLite header, MemorySegment payload) {
    var reply = new AwaitedReply();
    call(op, header, payload, reply);
    return reply.await(payload == null);
  }

  @Override
  public Welcome welcome() {
    Welcome known = welcome;
    if (known != null) {
      return known;
    }
    lock.lock();
    try {
      while (welcome == null && refusal == null && !closed) {
        changed.awaitUninterruptibly();
      }
      if (welcome != null) {
        return welcome;
      }
      throw refusal != null
          ? refusal
          : new FsException(Errno.ENOTCONN, "the channel to the node is closed");
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void onNotice(NoticeListener noticeListener) {
    listener.passTo(noticeListener);
  }

  @Override
  public void close() {
    if (!config.admin()) {
      sayBye();
    }
    abandon();
  }

  /** Receive and header buffers in use, for metrics and leak tests. */
  public long buffersInUseBytes() {
    return loops.buffersInUseBytes();
  }

  /** As a crash of this client would look to the node: no word, the session stays. */
  public void abandon() {
    List<PendingCall> left;
    ClientLine last;
    lock.lock();
    try {
      closed = true;
      last = line;
      line = null;
      left = new ArrayList<>(pending.values());
      pending.clear();
      changed.signalAll();
    } finally {
      lock.unlock();
    }
    keeper.stop();
    if (last != null) {
      last.closeNow();
    }
    loops.close();
    for (PendingCall call : left) {
      finish(call);
      call.fail(new FsException(Errno.ECANCELED, "the channel to the node is closed"));
    }
  }

  /** Cuts the current line, as a broken network would; for tests of what hangs on reconnecting. */
  void cutLine() {
    lock.lock();
    try {
      if (line != null) {
        line.closeNow();
      }
    } finally {
      lock.unlock();
    }
  }

  // ---- called by the line and its keeper, on the event loop ----

  Hello hello() {
    lock.lock();
    try {
      return Hello.newBuilder()
          .setVersionMin(FrameFormat.VERSION_MIN)
          .setVersionMax(FrameFormat.VERSION_MAX)
          .setClient(config.client())
          .setAdmin(config.admin())
          .setLocks(config.locks())
          .setSession(welcome == null ? config.session() : welcome.getSession())
          .build();
    } finally {
      lock.unlock();
    }
  }

  /**
   * The line is ready: what was cached before is judged first, then the unanswered go out again.
   */
  void welcomed(ClientLine ready, Welcome now) {
    Welcome before;
    List<PendingCall> orphaned;
    lock.lock();
    try {
      before = welcome;
      welcome = now;
      refusal = null;
      orphaned =
          before == null || before.getSession() == now.getSession() ? List.of() : takeMutations();
      changed.signalAll();
    } finally {
      lock.unlock();
    }
    for (PendingCall call : orphaned) {
      finish(call);
      call.fail(new FsException(Errno.ESTALE, "the session ended before the node answered"));
    }
    boolean lost =
        before != null
            && (before.getSession() != now.getSession() || before.getBoot() != now.getBoot());
    keeper.inTouch(now, lost, listener);
    resend(ready);
  }

  void refused(FsException failure) {
    List<PendingCall> left;
    lock.lock();
    try {
      refusal = failure;
      left = new ArrayList<>(pending.values());
      pending.clear();
      changed.signalAll();
    } finally {
      lock.unlock();
    }
    for (PendingCall call : left) {
      finish(call);
      call.fail(failure);
    }
  }

  void lineLost(ClientLine gone) {
    boolean hopeless;
    lock.lock();
    try {
      if (line == gone) {
        line = null;
      }
      hopeless = refusal == null && (config.admin() || welcome == null);
    } finally {
      lock.unlock();
    }
    if (hopeless) {
      refused(new FsException(Errno.ENOTCONN, "the line to the node broke", "node", node()));
    }
  }

  void answered(Frame frame) {
    PendingCall call;
    lock.lock();
    try {
      call = pending.remove(frame.id());
    } finally {
      lock.unlock();
    }
    if (call == null) {
      frame.release();
      return;
    }
    keeper.heard(call.sentNanos());
    finish(call);
    call.answer(frame);
  }

  void noticed(Notice notice) {
    listener.notice(notice);
  }

  NoticeListener listener() {
    return listener;
  }

  boolean welcomedBefore() {
    lock.lock();
    try {
      return welcome != null;
    } finally {
      lock.unlock();
    }
  }

  String node() {
    return config.host() + ":" + config.port();
  }

  // ---- the table ----

  private boolean add(PendingCall call, ByteBuf head) {
    lock.lock();
    try {
      if (closed || (refusal != null && config.admin())) {
        return false;
      }
      pending.put(call.id, call);
      if (line == null) {
        head.release();
      } else {
        call.send(line.outbox(), head);
      }
      return true;
    } finally {
      lock.unlock();
    }
  }

  private void resend(ClientLine ready) {
    lock.lock();
    try {
      if (closed) {
        ready.closeNow();
        return;
      }
      line = ready;
      for (PendingCall call : pending.values()) {
        call.send(ready.outbox(), call.encode(loops.allocator()));
      }
    } finally {
      lock.unlock();
    }
  }

  private List<PendingCall> takeMutations() {
    List<PendingCall> taken = pending.values().stream().filter(PendingCall::mutation).toList();
    taken.forEach(call -> pending.remove(call.id));
    return taken;
  }

  private void finish(PendingCall call) {
    if (call.counted) {
      permits.release();
    }
  }

  private boolean takePermit() {
    if (permits.tryAcquire()) {
      return true;
    }
    if (keeper.onLoop()) {
      return false; // the event loop can't wait for itself
    }
    permits.acquireUninterruptibly();
    return true;
  }

  private boolean overdraftLeft() {
    lock.lock();
    try {
      return pending.size() < LOOP_OVERDRAFT * config.inFlightMax();
    } finally {
      lock.unlock();
    }
  }

  private static boolean exempt(Op op) {
    return switch (op) {
      case RENEW, NOTICE_ACK, RELEASE_LEASES, RECLAIM, LOCK, BYE -> true;
      case HELLO,
          LOOKUP,
          GETATTR,
          READDIR,
          OPEN,
          READ,
          WRITE,
          MUTATE,
          READLINK,
          XATTR,
          STATFS,
          SEEK,
          COPY,
          SYNC,
          ADMIN,
          NOTICE,
          ERROR ->
          false;
    };
  }

  private void sayBye() {
    if (!welcomedBefore() || keeper.onLoop()) {
      return;
    }
    var gone = new Semaphore(0);
    call(
        Op.BYE,
        Empty.getDefaultInstance(),
        null,
        new Callback() {
          @Override
          public void done(Reply reply) {
            reply.close();
            gone.release();
          }

          @Override
          public void failed(FsException failure) {
            gone.release();
          }
        });
    try {
      gone.tryAcquire(BYE_WAIT_MILLIS, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
