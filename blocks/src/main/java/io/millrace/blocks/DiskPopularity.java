package io.millrace.blocks;

import io.millrace.core.api.BlockId;
import io.millrace.core.cache.FrequencySketch;
import java.util.concurrent.atomic.AtomicLong;

/**
 * How often blocks were asked for lately, and what that says about which of them the disk keeps.
 * The same rule as in L1 (docs/decisions/0003-cache-admission.md): the disk fills once and keeps
 * what it has; ties are refused; what was not used for hours gives way to anything.
 */
final class DiskPopularity {
  private static final long MAX_WORDS = 1 << 20;
  private static final int TYPICAL_BLOCK_BYTES = 64 << 10;
  private static final int USES_PER_HALVING = 10;
  private static final int TIE = 2;
  static final int ANY = Integer.MAX_VALUE;

  private final FrequencySketch sketch;
  private final int idleHours;
  private final AtomicLong uses = new AtomicLong();
  private volatile long blocks;

  DiskPopularity(long capacityBytes, int idleHours) {
    sketch = new FrequencySketch(Math.min(MAX_WORDS, capacityBytes / TYPICAL_BLOCK_BYTES));
    this.idleHours = idleHours;
  }

  void used(BlockId id) {
    sketch.increment(hash(id));
    sketch.fade(uses.incrementAndGet(), USES_PER_HALVING * Math.max(blocks, 1024));
  }

  /** How many blocks there are, now and then. */
  void blocks(long count) {
    blocks = count;
  }

  /** A clean block may replace what costs less than this. */
  int worth(BlockId id) {
    return Math.max(1, sketch.estimate(hash(id)) - TIE);
  }

  /** 0: idle. */
  int cost(BlockId id, IndexRow row, int hour) {
    return hour - row.usedHour() > idleHours ? 0 : Math.max(1, sketch.estimate(hash(id)));
  }

  private static long hash(BlockId id) {
    return FrequencySketch.hash(id.ino(), id.version(), id.index());
  }
}
