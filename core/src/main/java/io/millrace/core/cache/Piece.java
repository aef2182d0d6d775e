package io.millrace.core.cache;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * Contiguous memory cut from a {@link SlabSpace}, with a count of its pins. The memory is given
 * back when the last pin is closed and no cache holds it; invariant: {@code state == 0} exactly
 * when nobody may touch the bytes any more, and the step to 0 is made by one thread only.
 */
abstract sealed class Piece implements SharedPin permits CachedBlock, Buffer {
  private static final int CACHED = 1 << 30;
  private static final VarHandle STATE = stateHandle();

  Slab slab;
  int startUnit;
  int units;
  private MemorySegment bytes;
  private volatile int state = 1;

  /** Called by {@link Slab} when the piece got its place. */
  final void place(Slab slab, int startUnit, int units) {
    this.slab = slab;
    this.startUnit = startUnit;
    this.units = units;
  }

  final void bind(MemorySegment bytes) {
    this.bytes = bytes;
  }

  @Override
  public final MemorySegment bytes() {
    return bytes;
  }

  @Override
  public final SharedPin pinAgain() {
    int before = (int) STATE.getAndAdd(this, 1);
    assert (before & ~CACHED) > 0;
    return this;
  }

  /** The cache takes hold of a piece that its writer has pinned. */
  final void enterCache() {
    STATE.getAndBitwiseOr(this, CACHED);
  }

  /** A pin for a reader that found the piece in the cache; false once the cache let it go. */
  final boolean tryPin() {
    while (true) {
      int now = state;
      if ((now & CACHED) == 0) {
        return false;
      }
      if (STATE.compareAndSet(this, now, now + 1)) {
        return true;
      }
    }
  }

  /** The cache lets go; true: no pins were left and the caller must free the memory. */
  final boolean leaveCache() {
    int before = (int) STATE.getAndBitwiseAnd(this, ~CACHED);
    return before == CACHED;
  }

  /** Takes a cached piece without pins for eviction; the caller frees the memory. */
  final boolean claim() {
    return STATE.compareAndSet(this, CACHED, 0);
  }

  final boolean evictable() {
    return state == CACHED;
  }

  /** Gives one pin back. */
  @Override
  public final void close() {
    int before = (int) STATE.getAndAdd(this, -1);
    if ((before & ~CACHED) <= 0) {
      STATE.getAndAdd(this, 1);
      throw new IllegalStateException("closed more often than pinned");
    }
    if (before == 1) {
      free();
    }
  }

  /** Gives the memory back; called once, by the thread that took {@code state} to 0. */
  abstract void free();

  private static VarHandle stateHandle() {
    try {
      return MethodHandles.lookup().findVarHandle(Piece.class, "state", int.class);
    } catch (ReflectiveOperationException impossible) {
      throw new ExceptionInInitializerError(impossible);
    }
  }
}
