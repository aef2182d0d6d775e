package io.millrace.fuse;

import java.lang.System.Logger.Level;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * Reads requests from one descriptor and has them served, one at a time, until the mount ends. A
 * platform thread of its own: the read blocks in the kernel. Nothing a file system throws ends it.
 */
final class FuseWorker implements Runnable {
  private final ReplyContext context;
  private final FuseRequest request;
  private final Dispatch dispatch;
  private final AtomicLongArray counts = new AtomicLongArray(FuseOpcode.LIMIT);
  private volatile int endErrno;
  private volatile boolean serving;

  FuseWorker(ReplyContext context, DeviceDescriptor descriptor, int maxWriteBytes) {
    this.context = context;
    this.request = new FuseRequest(context, descriptor, maxWriteBytes);
    this.dispatch = new Dispatch(context);
  }

  @Override
  public void run() {
    while (true) {
      long n = request.read();
      if (n >= Wire.InHeader.BYTES) {
        serving = true;
        if (context.handingOver) {
          serving = false;
          return;
        }
        serve((int) n);
        serving = false;
      } else if (n >= 0 || ends((int) -n)) {
        endErrno = n >= 0 ? FuseErrno.EIO : (int) -n;
        return;
      }
    }
  }

  /** ENODEV is the end of the mount; the others that don't end it are requests that went away. */
  private static boolean ends(int errno) {
    return errno != FuseErrno.EINTR && errno != FuseErrno.EAGAIN && errno != FuseErrno.ENOENT;
  }

  private void serve(int length) {
    request.begin(length);
    int opcode = request.opcode();
    count(opcode);
    try {
      dispatch.serve(request);
      if (request.isOpen()) {
        ReplyContext.LOG.log(Level.ERROR, "no answer by the file system: opcode " + opcode);
        request.error(FuseErrno.EIO);
      }
    } catch (Throwable e) {
      failed(e, opcode);
    }
  }

  private void failed(Throwable e, int opcode) {
    if (request.isOpen()) {
      request.error(context.errnoOf(e, opcode));
    } else if (request.detached() != null && !request.detached().isAnswered()) {
      request.detached().fail(e);
    } else {
      ReplyContext.LOG.log(Level.ERROR, "thrown after the answer: opcode " + opcode, e);
    }
  }

  /** Only this thread writes; readers may lag. */
  private void count(int opcode) {
    int slot = opcode & (FuseOpcode.LIMIT - 1);
    counts.setOpaque(slot, counts.getPlain(slot) + 1);
  }

  long requests(int opcode) {
    return counts.getOpaque(opcode);
  }

  boolean isServing() {
    return serving;
  }

  int endErrno() {
    return endErrno;
  }

  /** Whether it ended because the mount did. */
  boolean sawUnmount() {
    return endErrno == FuseErrno.ENODEV || endErrno == FuseErrno.ECONNABORTED;
  }

  void free() {
    request.free();
  }

  /**
   * Whether the kernel took a reply. A request that went away meanwhile is no failure worth a line.
   */
  static boolean taken(int result, int opcode) {
    if (result == 0) {
      return true;
    }
    if (result != -FuseErrno.ENOENT && result != -FuseErrno.ENODEV) {
      ReplyContext.LOG.log(
          Level.ERROR, "kernel refused a reply: opcode " + opcode + " errno " + -result);
    }
    return false;
  }
}
