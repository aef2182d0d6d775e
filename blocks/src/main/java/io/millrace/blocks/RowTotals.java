package io.millrace.blocks;

import java.util.HashMap;
import java.util.Map;
import java.util.function.ObjLongConsumer;

/** Sums over rows of the index, or changes of them by one batch. Guarded by its monitor. */
final class RowTotals {
  long blocks;
  long cleanBytes;
  long dirtyBytes;
  long largeBytes;

  /** Changes by segment; only in a batch. */
  final Map<Long, Long> live = new HashMap<>(4);

  static RowTotals stored(BlockIndex index) {
    var totals = new RowTotals();
    totals.blocks = index.number(IndexBatch.BLOCKS);
    totals.cleanBytes = index.number(IndexBatch.CLEAN_BYTES);
    totals.dirtyBytes = index.number(IndexBatch.DIRTY_BYTES);
    totals.largeBytes = index.number(IndexBatch.LARGE_BYTES);
    return totals;
  }

  void addLive(long segment, long bytes) {
    live.merge(segment, bytes, Long::sum);
  }

  synchronized void add(RowTotals change) {
    blocks += change.blocks;
    cleanBytes += change.cleanBytes;
    dirtyBytes += change.dirtyBytes;
    largeBytes += change.largeBytes;
  }

  synchronized RowTotals copy() {
    var copy = new RowTotals();
    copy.add(this);
    return copy;
  }

  void forEachChange(ObjLongConsumer<byte[]> consumer) {
    change(consumer, IndexBatch.BLOCKS, blocks);
    change(consumer, IndexBatch.CLEAN_BYTES, cleanBytes);
    change(consumer, IndexBatch.DIRTY_BYTES, dirtyBytes);
    change(consumer, IndexBatch.LARGE_BYTES, largeBytes);
    live.forEach((segment, bytes) -> change(consumer, IndexBatch.liveKey(segment), bytes));
  }

  private static void change(ObjLongConsumer<byte[]> consumer, byte[] key, long delta) {
    if (delta != 0) {
      consumer.accept(key, delta);
    }
  }
}
