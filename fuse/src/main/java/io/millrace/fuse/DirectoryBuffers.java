package io.millrace.fuse;

import java.util.concurrent.ArrayBlockingQueue;

/**
 * Idle directory buffers, {@code kept} at most; one more than that is mapped when needed and
 * unmapped after.
 */
final class DirectoryBuffers {
  private final ArrayBlockingQueue<DirectoryBuffer> idle;
  private final int sizeBytes;

  DirectoryBuffers(int kept, int sizeBytes) {
    this.idle = new ArrayBlockingQueue<>(kept);
    this.sizeBytes = sizeBytes;
  }

  DirectoryBuffer take(int askedBytes, boolean plus) {
    DirectoryBuffer buffer = idle.poll();
    if (buffer == null) {
      buffer = new DirectoryBuffer(this, new NativeMemory(new CallState(), sizeBytes));
    }
    buffer.open(askedBytes, plus);
    return buffer;
  }

  void giveBack(DirectoryBuffer buffer) {
    if (!idle.offer(buffer)) {
      buffer.memory().free(new CallState());
    }
  }

  void close() {
    for (DirectoryBuffer b = idle.poll(); b != null; b = idle.poll()) {
      b.memory().free(new CallState());
    }
  }
}
