package io.millrace.core.wire;

import com.google.protobuf.MessageLite;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.core.api.Pinned;
import io.millrace.proto.Empty;
import io.millrace.proto.Hello;
import io.millrace.proto.Notice;
import io.millrace.proto.Welcome;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Straight into a node of the same process: headers are handed over as objects, payloads as they
 * lie, no thread is woken. The handler may serve on the calling thread, so callers stand on
 * platform threads (H28). Callbacks run on the calling thread or on one of the node's. Needs no
 * renewal: client and node live and die together.
 */
public final class LocalNodeChannel implements NodeChannel {
  private static final System.Logger LOG = System.getLogger(LocalNodeChannel.class.getName());

  private final RequestHandler handler;
  private final String client;
  private final boolean admin;
  private final long session;
  private final boolean locks;
  private volatile LocalPeer peer;
  private volatile Welcome welcome;
  private final HeldNotices listener = new HeldNotices();
  private volatile boolean closed;

  /** Set before BYE, whose answer comes on a line that the node has cut: nobody comes back then. */
  private volatile boolean leaving;

  /** Says HELLO; blocks until the node has answered. */
  public LocalNodeChannel(RequestHandler handler, String client, boolean admin) {
    this(handler, client, admin, 0);
  }

  /**
   * Goes on with a session of a process before this one.
   *
   * @param session 0 for a new one
   */
  public LocalNodeChannel(RequestHandler handler, String client, boolean admin, long session) {
    this(handler, client, admin, session, false);
  }

  /**
   * @param locks the client locks at the node
   */
  public LocalNodeChannel(
      RequestHandler handler, String client, boolean admin, long session, boolean locks) {
    this.handler = handler;
    this.client = client;
    this.admin = admin;
    this.session = session;
    this.locks = locks;
    greet();
  }

  @Override
  public void call(Op op, MessageLite header, MemorySegment payload, Callback callback) {
    var responder = new LocalResponder(op, callback);
    if (closed) {
      responder.fail(new FsException(Errno.ECANCELED, "the channel to the node is closed"));
      return;
    }
    handle(peer, op, header, payload == null ? MemorySegment.NULL : payload, responder);
  }

  @Override
  public Reply await(Op op, MessageLite header, MemorySegment payload) {
    var reply = new AwaitedReply();
    call(op, header, payload, reply);
    return reply.await(payload == null);
  }

  @Override
  public Welcome welcome() {
    return welcome;
  }

  @Override
  public void onNotice(NoticeListener noticeListener) {
    listener.passTo(noticeListener);
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    leaving = true;
    if (!admin) {
      try {
        await(Op.BYE, Empty.getDefaultInstance(), null).close();
      } catch (FsException e) {
        LOG.log(System.Logger.Level.DEBUG, "the node did not take the farewell", e);
      }
    }
    closed = true;
    handler.closed(peer);
  }

  private void greet() {
    var next = new LocalPeer();
    var answer = new AwaitedReply();
    Hello hello =
        Hello.newBuilder()
            .setVersionMin(FrameFormat.VERSION_MIN)
            .setVersionMax(FrameFormat.VERSION_MAX)
            .setClient(client)
            .setAdmin(admin)
            .setLocks(locks)
            .setSession(welcome == null ? session : welcome.getSession())
            .build();
    peer = next;
    handle(next, Op.HELLO, hello, MemorySegment.NULL, new LocalResponder(Op.HELLO, answer));
    try (Reply reply = answer.await(false)) {
      welcome = reply.as(Welcome.class).toBuilder().setVersion(FrameFormat.VERSION_MAX).build();
    }
  }

  private void handle(
      LocalPeer from, Op op, MessageLite header, MemorySegment payload, LocalResponder responder) {
    try {
      handler.handle(from, op, header, payload, responder);
    } catch (FsException e) {
      responder.fail(e);
    } catch (RuntimeException e) {
      LOG.log(System.Logger.Level.ERROR, "request failed: " + op, e);
      responder.fail(new FsException(e, Errno.EIO, "the node failed on this request", "op", op));
    }
  }

  /** The node cut the line, as it does with a session that lost its leases. */
  private void comeBack(LocalPeer cut) {
    handler.closed(cut);
    if (leaving || cut != peer) {
      return;
    }
    Welcome before = welcome;
    greet();
    if (before.getSession() != welcome.getSession() || before.getBoot() != welcome.getBoot()) {
      listener.leasesLost();
    }
  }

  private final class LocalPeer implements RequestHandler.Peer {
    private final AtomicBoolean cut = new AtomicBoolean();
    private volatile Object attachment;

    @Override
    public void push(Notice notice) {
      listener.notice(notice);
    }

    @Override
    public void attach(Object state) {
      attachment = state;
    }

    @Override
    public Object attachment() {
      return attachment;
    }

    @Override
    public boolean mayBlock() {
      return true;
    }

    @Override
    public String name() {
      return client;
    }

    @Override
    public void close() {
      if (cut.compareAndSet(false, true)) {
        Thread.ofPlatform().daemon().name("millrace-local-channel").start(() -> comeBack(this));
      }
    }
  }

  private static final class LocalResponder implements RequestHandler.Responder {
    private final Op op;
    private final Callback callback;
    private final AtomicBoolean answered = new AtomicBoolean();

    LocalResponder(Op op, Callback callback) {
      this.op = op;
      this.callback = callback;
    }

    @Override
    public void reply(MessageLite header, Pinned payload) {
      Pinned bytes = payload == null ? Pinned.EMPTY : payload;
      if (!answered.compareAndSet(false, true)) {
        bytes.close();
        throw new IllegalStateException("answered twice: " + op);
      }
      run(() -> callback.done(new Reply(header, bytes)));
    }

    @Override
    public void fail(FsException failure) {
      if (answered.compareAndSet(false, true)) {
        run(() -> callback.failed(failure));
      }
    }

    private void run(Runnable body) {
      try {
        body.run();
      } catch (RuntimeException e) {
        LOG.log(System.Logger.Level.ERROR, "callback failed: " + op, e);
      }
    }
  }
}
