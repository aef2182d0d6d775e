package io.millrace.fuse;

import java.util.ArrayDeque;

/**
 * The spare request regions that workers swap theirs for when a WRITE's data is handed over.
 * Regions are mapped when first needed; at most twice the limit of {@link BackPressure} are ever
 * out. Safe for any thread.
 */
final class PayloadBuffers {
  private final BackPressure limit;
  private final int maxWriteBytes;
  private final ArrayDeque<RequestMemory> idle = new ArrayDeque<>();
  private boolean closed;

  PayloadBuffers(BackPressure limit, int maxWriteBytes) {
    this.limit = limit;
    this.maxWriteBytes = maxWriteBytes;
  }

  /** A region in exchange for the one the worker gives away; waits as {@link BackPressure} says. */
  RequestMemory take() {
    limit.acquire();
    synchronized (this) {
      RequestMemory memory = idle.poll();
      return memory != null ? memory : new RequestMemory(new CallState(), maxWriteBytes);
    }
  }

  void giveBack(RequestMemory memory) {
    synchronized (this) {
      if (closed) {
        memory.free(new CallState());
      } else {
        idle.push(memory);
      }
    }
    limit.release();
  }

  /** Frees the idle ones; those still out are freed when they come back. */
  synchronized void close() {
    closed = true;
    idle.forEach(m -> m.free(new CallState()));
    idle.clear();
  }
}
