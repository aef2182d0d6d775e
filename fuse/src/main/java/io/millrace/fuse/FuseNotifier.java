package io.millrace.fuse;

import java.lang.System.Logger.Level;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Tells the kernel that what it caches has changed. Any thread may ask; only threads of this class
 * write, never one that serves requests: the kernel may wait for a lock that a request being served
 * holds (H7). Notices with one key (the parent directory of a name, the inode) go in the order they
 * were given; a notice the kernel is slow to take delays others of its key only, as long as a
 * thread is free.
 *
 * <p>Every method gives false, and does nothing, when the configured number of notices waits or the
 * mount has ended; the caller then retries, or gives up single notices for {@link #incEpoch}.
 * Otherwise {@link Done} is called exactly once.
 */
public final class FuseNotifier {
  /**
   * Told by a notifier thread how a notice ended; should be short, and must not wait for another
   * notice.
   */
  @FunctionalInterface
  public interface Done {
    /**
     * @param errno 0 when the kernel has taken it (or had nothing cached); ENODEV (19) when the
     *     mount has ended; ENOTEMPTY, EBUSY from a delete
     */
    void done(int errno);
  }

  private static final int EXPIRE_ONLY = 1;

  /** Longest content one store carries. */
  public static final int STORE_BYTES_MAX = ReplyWriter.BODY_BYTES - 64;

  /** The notices of one key; one of its notices at a time is on its way. */
  private static final class Lane {
    final long key;
    final ArrayDeque<Notice> notices = new ArrayDeque<>();

    Lane(long key) {
      this.key = key;
    }
  }

  /** Marks the threads that may write notices. */
  private static final class NoticeThread extends Thread {
    NoticeThread(Runnable body, String name) {
      super(body, name);
      setDaemon(true);
    }
  }

  private final DeviceDescriptor descriptor;
  private final FuseFeatures features;
  private final int noticesMax;
  private final Thread[] threads;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition work = lock.newCondition();
  private final Map<Long, Lane> lanes = new HashMap<>();
  private final ArrayDeque<Lane> ready = new ArrayDeque<>();
  private int waiting;
  private boolean closed;

  FuseNotifier(
      DeviceDescriptor descriptor, FuseFeatures features, int threadCount, int noticesMax) {
    this.descriptor = descriptor;
    this.features = features;
    this.noticesMax = noticesMax;
    this.threads = new Thread[threadCount];
  }

  void start() {
    for (int i = 0; i < threads.length; i++) {
      threads[i] = new NoticeThread(this::run, "fuse-notify-" + i);
      threads[i].start();
    }
  }

  /**
   * The kernel looks the name up again. Waits in the kernel for the parent's lock.
   *
   * @param expireOnly only its time is over: mounts and directories below survive (H27); where the
   *     kernel can't, the entry is dropped
   */
  public boolean invalidateEntry(long parent, byte[] name, boolean expireOnly, Done done) {
    int flags = expireOnly && features.canExpireEntries() ? EXPIRE_ONLY : 0;
    return submit(
        new Notice(
            Wire.Notice.INVAL_ENTRY,
            parent,
            0,
            0,
            0,
            flags,
            MemorySegment.ofArray(name.clone()),
            done));
  }

  /**
   * The kernel forgets attributes, and content of a range: {@code offset < 0} none, {@code length
   * <= 0} to the end. Changed pages are written first, by WRITE requests; waits for pages being
   * read.
   */
  public boolean invalidateInode(long nodeid, long offset, long length, Done done) {
    return submit(new Notice(Wire.Notice.INVAL_INODE, nodeid, 0, offset, length, 0, null, done));
  }

  /** The name is gone: also told to watchers (inotify), and takes mounts below with it. */
  public boolean delete(long parent, long child, byte[] name, Done done) {
    return submit(
        new Notice(
            Wire.Notice.DELETE, parent, child, 0, 0, 0, MemorySegment.ofArray(name.clone()), done));
  }

  /** Puts content into the kernel's cache; at most {@link #STORE_BYTES_MAX}. */
  public boolean store(long nodeid, long offset, byte[] content, Done done) {
    if (content.length > STORE_BYTES_MAX) {
      throw new IllegalArgumentException("more than STORE_BYTES_MAX: " + content.length);
    }
    return submit(
        new Notice(
            Wire.Notice.STORE,
            nodeid,
            0,
            offset,
            content.length,
            0,
            MemorySegment.ofArray(content.clone()),
            done));
  }

  /**
   * All cached entries are looked up again; ENOSYS where the kernel can't ({@link
   * FuseFeatures#canIncEpoch}).
   */
  public boolean incEpoch(Done done) {
    return submitIf(features.canIncEpoch(), Wire.Notice.INC_EPOCH, done);
  }

  /** The kernel sends again what had been read and not answered (H17); ENOSYS where it can't. */
  public boolean resend(Done done) {
    return submitIf(features.canResend(), Wire.Notice.RESEND, done);
  }

  private boolean submitIf(boolean possible, int kind, Done done) {
    if (!possible) {
      tell(done, FuseErrno.ENOSYS);
      return true;
    }
    return submit(new Notice(kind, 0, 0, 0, 0, 0, null, done));
  }

  /** Notices waiting or being sent. */
  public int waiting() {
    lock.lock();
    try {
      return waiting;
    } finally {
      lock.unlock();
    }
  }

  private boolean submit(Notice notice) {
    lock.lock();
    try {
      if (closed || waiting >= noticesMax) {
        return false;
      }
      waiting++;
      Lane lane = lanes.get(notice.key());
      if (lane == null) {
        lane = new Lane(notice.key());
        lanes.put(lane.key, lane);
        ready.add(lane);
        work.signal();
      }
      lane.notices.add(notice);
      return true;
    } finally {
      lock.unlock();
    }
  }

  private void run() {
    var writer = new ReplyWriter();
    try {
      for (Lane lane = next(); lane != null; lane = next()) {
        Notice notice = lane.notices.peek();
        tell(notice.done(), send(writer, notice));
        sent(lane);
      }
    } finally {
      writer.free();
    }
  }

  /** A lane with work, to which this thread alone attends until {@link #sent}; null at the end. */
  private Lane next() {
    lock.lock();
    try {
      while (ready.isEmpty()) {
        if (closed) {
          return null;
        }
        work.awaitUninterruptibly();
      }
      return ready.poll();
    } finally {
      lock.unlock();
    }
  }

  private void sent(Lane lane) {
    lock.lock();
    try {
      lane.notices.poll();
      waiting--;
      if (lane.notices.isEmpty()) {
        lanes.remove(lane.key);
      } else {
        ready.add(lane);
        work.signal();
      }
    } finally {
      lock.unlock();
    }
  }

  private int send(ReplyWriter writer, Notice notice) {
    if (!(Thread.currentThread() instanceof NoticeThread)) {
      throw new IllegalStateException("notices leave only from notifier threads");
    }
    if (!descriptor.enter()) {
      return FuseErrno.ENODEV;
    }
    try {
      int length = notice.put(writer.out, ReplyWriter.BODY);
      int result = -writer.sendNotice(descriptor.fd(), notice.kind(), length);
      return result == FuseErrno.ENOENT ? 0 : result;
    } finally {
      descriptor.leave();
    }
  }

  private static void tell(Done done, int errno) {
    try {
      done.done(errno);
    } catch (RuntimeException e) {
      ReplyContext.LOG.log(Level.ERROR, "completion of a notice failed", e);
    }
  }

  /** Sends what waits (to a mount that has ended, that is quick), then ends the threads. */
  void close() {
    lock.lock();
    try {
      closed = true;
      work.signalAll();
    } finally {
      lock.unlock();
    }
    for (Thread thread : threads) {
      FuseSession.join(thread);
    }
  }
}
