package io.millrace.fuse;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * The answer to a request that outlives the method it came in by. Completed at most once, by any
 * thread (virtual threads and event loops included); later attempts do nothing and give false. Must
 * be completed in the end, or the calling process waits for ever.
 */
public final class DetachedReply extends FuseReply {
  private static final VarHandle ANSWERED;

  static {
    try {
      ANSWERED =
          MethodHandles.lookup().findVarHandle(DetachedReply.class, "answered", boolean.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private final DeviceDescriptor descriptor;
  private final long unique;
  private final int opcode;
  private final int uid;
  private final int gid;
  private final int pid;
  private volatile boolean answered;
  private Runnable onInterrupt;
  private boolean interrupted;

  /** The chain of {@link PendingReplies}, under its lock. */
  DetachedReply next;

  DetachedReply previous;

  DetachedReply(FuseRequest request, DeviceDescriptor descriptor) {
    super(request.context);
    this.descriptor = descriptor;
    this.unique = request.unique();
    this.opcode = request.opcode();
    this.uid = request.uid();
    this.gid = request.gid();
    this.pid = request.pid();
  }

  @Override
  public long unique() {
    return unique;
  }

  @Override
  public int opcode() {
    return opcode;
  }

  /** Who asks. */
  public int uid() {
    return uid;
  }

  public int gid() {
    return gid;
  }

  /** The thread that asks, and waits for the answer; 0: of no process that can be seen here. */
  public int pid() {
    return pid;
  }

  public boolean isAnswered() {
    return answered;
  }

  /**
   * Sets what happens when the calling process is interrupted (a signal, kill -9): at once if that
   * has happened already. Runs on a worker, so it must not block. May answer, or make the one who
   * will answer give up.
   */
  public void onInterrupt(Runnable action) {
    boolean now;
    synchronized (this) {
      now = interrupted;
      onInterrupt = action;
    }
    if (now && !answered) {
      run(action);
    }
  }

  /**
   * Answers EINTR at once when interrupted; whoever works on the request learns it by a false from
   * its answer.
   */
  public void answerWhenInterrupted() {
    onInterrupt(() -> error(FuseErrno.EINTR));
  }

  /** Whether the calling process was interrupted. */
  public synchronized boolean isInterrupted() {
    return interrupted;
  }

  void interrupt() {
    Runnable action;
    synchronized (this) {
      action = interrupted ? null : onInterrupt;
      interrupted = true;
    }
    if (action != null && !answered) {
      run(action);
    }
  }

  private void run(Runnable action) {
    try {
      action.run();
    } catch (RuntimeException e) {
      ReplyContext.LOG.log(System.Logger.Level.ERROR, "interrupt action failed", e);
    }
  }

  /** Answers with the errno the file system gives this failure. */
  public boolean fail(Throwable failure) {
    return error(context.errnoOf(failure, opcode));
  }

  @Override
  ReplyWriter claim() {
    if (!ANSWERED.compareAndSet(this, false, true)) {
      return null;
    }
    context.pending.remove(this);
    return descriptor.enter() ? context.writers.take() : null;
  }

  @Override
  int fd() {
    return descriptor.fd();
  }

  @Override
  boolean finish(ReplyWriter writer, int result) {
    descriptor.leave();
    context.writers.giveBack(writer);
    return FuseWorker.taken(result, opcode);
  }
}
