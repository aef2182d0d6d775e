package io.millrace.testkit.model;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;

/** Bytes to write: which ones depends on a seed only. Never changed after construction. */
final class RandomBytes {
  static final int LENGTH_MAX = (4 << 20) + 4096;
  private static final int BYTES = 2 * LENGTH_MAX;

  private final MemorySegment pool = Arena.ofAuto().allocate(BYTES, Long.BYTES);

  RandomBytes() {
    var random = new SplittableRandom(1);
    for (long at = 0; at < BYTES; at += Long.BYTES) {
      pool.set(ValueLayout.JAVA_LONG, at, random.nextLong());
    }
  }

  MemorySegment of(long seed, long length) {
    return pool.asSlice(Math.floorMod(seed, BYTES - LENGTH_MAX), length);
  }
}
