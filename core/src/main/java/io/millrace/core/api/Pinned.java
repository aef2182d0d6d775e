package io.millrace.core.api;

import java.lang.foreign.MemorySegment;

/**
 * Borrowed off-heap bytes that stay as they are until {@link #close}. Whoever gets one closes it
 * exactly once, on any thread; the segment must not be touched after. Never written to.
 */
public interface Pinned extends AutoCloseable {
  MemorySegment bytes();

  @Override
  void close();

  /** No bytes. */
  Pinned EMPTY = unowned(MemorySegment.NULL);

  /** Bytes that nobody has to give back. */
  static Pinned unowned(MemorySegment bytes) {
    return new Pinned() {
      @Override
      public MemorySegment bytes() {
        return bytes;
      }

      @Override
      public void close() {}
    };
  }
}
