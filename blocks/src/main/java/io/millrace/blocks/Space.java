package io.millrace.blocks;

import java.util.concurrent.atomic.AtomicLong;

/**
 * Counts the bytes of one directory against its capacity. A share is held back for moving live
 * blocks out of segments, which needs room before it gives any. Safe for many threads; invariant:
 * used never exceeds the capacity by {@link #take} or {@link #takeReserve}.
 */
final class Space {
  private final long capacityBytes;
  private final long reserveBytes;
  private final AtomicLong used = new AtomicLong();
  private volatile long indexBytes;

  Space(long capacityBytes, long reserveBytes) {
    this.capacityBytes = capacityBytes;
    this.reserveBytes = reserveBytes;
  }

  boolean take(long bytes) {
    return take(bytes, capacityBytes - reserveBytes);
  }

  boolean takeReserve(long bytes) {
    return take(bytes, capacityBytes);
  }

  void give(long bytes) {
    used.addAndGet(-bytes);
  }

  /** What was there before the store opened. */
  void found(long bytes) {
    used.addAndGet(bytes);
  }

  void indexTakes(long bytes) {
    indexBytes = bytes;
  }

  long usedBytes() {
    return used.get() + indexBytes;
  }

  long capacityBytes() {
    return capacityBytes;
  }

  private boolean take(long bytes, long limit) {
    while (true) {
      long now = used.get();
      if (now + bytes + indexBytes > limit) {
        return false;
      }
      if (used.compareAndSet(now, now + bytes)) {
        return true;
      }
    }
  }
}
