package io.millrace.blocks;

import java.util.concurrent.atomic.LongAdder;

/** What a store counts, since it was opened. Safe for many threads. */
public final class StoreCounters {
  final LongAdder diskHits = new LongAdder();
  final LongAdder diskReads = new LongAdder();
  final LongAdder misses = new LongAdder();
  final LongAdder damaged = new LongAdder();
  final LongAdder notKept = new LongAdder();

  final LongAdder compacted = new LongAdder();

  StoreCounters() {}

  /** Segments that were emptied and removed in the background. */
  public long segmentsRemoved() {
    return compacted.sum();
  }

  /** Reads from disk files. */
  public long diskReads() {
    return diskReads.sum();
  }

  /** Blocks whose bytes didn't match their checksum. */
  public long damagedBlocks() {
    return damaged.sum();
  }

  /** Clean blocks that were served but found no better place on disk. */
  public long notKeptBlocks() {
    return notKept.sum();
  }
}
