package io.millrace.fuse;

import java.util.concurrent.ArrayBlockingQueue;

/**
 * Writers for replies that come from other threads than a worker. Holds at most {@code kept} idle
 * ones; more are made when that many threads write at the same moment, and freed again.
 */
final class ReplyWriters {
  private final ArrayBlockingQueue<ReplyWriter> idle;

  ReplyWriters(int kept) {
    this.idle = new ArrayBlockingQueue<>(kept);
  }

  ReplyWriter take() {
    ReplyWriter writer = idle.poll();
    return writer != null ? writer : new ReplyWriter();
  }

  void giveBack(ReplyWriter writer) {
    if (!idle.offer(writer)) {
      writer.free();
    }
  }

  /**
   * Frees the idle ones. One still out is freed or kept when it comes back, and then leaks one
   * region.
   */
  void close() {
    for (ReplyWriter w = idle.poll(); w != null; w = idle.poll()) {
      w.free();
    }
  }
}
