package io.millrace.buckets;

import java.util.concurrent.ArrayBlockingQueue;

/**
 * Heap buffers between sockets, which read into arrays, and off-heap blocks. Shared by all requests
 * of one bucket, not per thread: virtual threads come and go. At most {@code limit} are kept; one
 * more is made where all are out, and dropped when it comes back.
 */
final class HeapBuffers {
  /** What the JDK moves in one read of a socket at most. */
  static final int SIZE_BYTES = 128 << 10;

  private final ArrayBlockingQueue<byte[]> free;

  HeapBuffers(int limit) {
    free = new ArrayBlockingQueue<>(limit);
  }

  byte[] take() {
    byte[] buffer = free.poll();
    return buffer == null ? new byte[SIZE_BYTES] : buffer;
  }

  void give(byte[] buffer) {
    if (!free.offer(buffer)) {
      return; // enough are kept; the collector takes this one
    }
  }
}
