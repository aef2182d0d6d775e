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

  /**
   * {@code length} of these bytes from {@code offset}. Takes this one over: closing the part gives
   * this one back.
   */
  default Pinned part(long offset, long length) {
    if (offset == 0 && length == bytes().byteSize()) {
      return this;
    }
    MemorySegment part = bytes().asSlice(offset, length);
    Pinned whole = this;
    return new Pinned() {
      @Override
      public MemorySegment bytes() {
        return part;
      }

      @Override
      public void close() {
        whole.close();
      }
    };
  }

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
