package io.millrace.core.cache;

/**
 * Tells which entries no running job uses. Learns the longest time between two uses of one entry
 * that occurs nowadays, and calls an entry idle when it has not been used for clearly longer. In a
 * shuffled epoch of N blocks that time is at most 2 N uses, so nothing of a running job is ever
 * idle, whatever share of it fits; what a finished job left is idle some epochs later.
 *
 * <p>Time is a count of uses, as seen by one stripe of the cache. Fields are read and written
 * without a lock: a lost update delays the learning a little.
 */
final class ReuseClock {
  private static final int FIRST_GUESS = 4;
  private volatile long longest;
  private volatile long seenAt;

  /** An entry was used again. */
  void reused(long age, long now) {
    if (age >= longest) {
      longest = age;
      seenAt = now;
    } else if (age >= longest / 2) {
      seenAt = now;
    } else if (now - seenAt > 4 * longest) {
      longest /= 2;
      seenAt = now;
    }
  }

  /**
   * @param entries how many entries the stripe holds: the least age of which anything is said
   */
  boolean idle(long age, int entries) {
    return age > Math.max(longest + longest / 2, (long) FIRST_GUESS * Math.max(entries, 16));
  }
}
