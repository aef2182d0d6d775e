package io.millrace.core.cache;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Estimates how often a key was used lately: a count-min sketch of 4-bit counters with conservative
 * update, halved from time to time. Off-heap; 8 bytes for each 4 KiB of cache. Safe for many
 * threads in the sense that lost increments are harmless: admission treats counts that differ by
 * little as equal.
 */
public final class FrequencySketch {
  public static final int MAX_COUNT = 15;
  private static final int ROWS = 4;
  private static final long HALF_MASK = 0x7777_7777_7777_7777L;
  private static final long MAX_WORDS = 1L << 24;

  private final MemorySegment words;
  private final long mask;
  private volatile long halvedAt;

  /**
   * @param expectedKeys distinct keys between two halvings; more only make estimates rougher
   */
  public FrequencySketch(long expectedKeys) {
    long wanted = Math.clamp(expectedKeys, 64, MAX_WORDS);
    long count = Long.highestOneBit(wanted - 1) << 1;
    words = new Region(count * Long.BYTES, Arena.ofAuto()).bytes();
    mask = count - 1;
  }

  /** A well mixed hash of a block's key. */
  public static long hash(long a, long b, int c) {
    return mix(mix(mix(a) + b) + c);
  }

  /** Counts one use. */
  public void increment(long hash) {
    int least = estimate(hash);
    if (least == MAX_COUNT) {
      return;
    }
    for (int row = 0; row < ROWS; row++) {
      long mixed = rowHash(hash, row);
      long word = words.getAtIndex(JAVA_LONG, mixed & mask);
      if (counter(word, mixed) == least) {
        words.setAtIndex(JAVA_LONG, mixed & mask, word + (1L << shift(mixed)));
      }
    }
  }

  /** 0 to {@link #MAX_COUNT}; never too low but for halving and lost updates. */
  public int estimate(long hash) {
    int least = MAX_COUNT;
    for (int row = 0; row < ROWS; row++) {
      long mixed = rowHash(hash, row);
      least = Math.min(least, counter(words.getAtIndex(JAVA_LONG, mixed & mask), mixed));
    }
    return least;
  }

  /** Halves every count, so that what was used long ago fades. */
  public void halve() {
    for (long i = 0; i <= mask; i++) {
      words.setAtIndex(JAVA_LONG, i, words.getAtIndex(JAVA_LONG, i) >>> 1 & HALF_MASK);
    }
  }

  /**
   * Halves the counts where {@code period} has passed since it was last done.
   *
   * @param now a clock that counts uses
   */
  public void fade(long now, long period) {
    if (now - halvedAt < period) {
      return;
    }
    synchronized (this) {
      if (now - halvedAt < period) {
        return;
      }
      halvedAt = now;
    }
    halve();
  }

  private static long rowHash(long hash, int row) {
    return mix(hash + row * 0x9e37_79b9_7f4a_7c15L);
  }

  private static int shift(long mixed) {
    return (int) (mixed >>> 60) << 2;
  }

  private static int counter(long word, long mixed) {
    return (int) (word >>> shift(mixed)) & MAX_COUNT;
  }

  /** The finalizer of SplitMix64. */
  private static long mix(long z) {
    long x = (z ^ (z >>> 30)) * 0xbf58_476d_1ce4_e5b9L;
    x = (x ^ (x >>> 27)) * 0x94d0_49bb_1331_11ebL;
    return x ^ (x >>> 31);
  }
}
