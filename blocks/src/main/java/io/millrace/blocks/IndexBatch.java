package io.millrace.blocks;

import io.millrace.core.api.BlockId;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.RocksDBException;
import org.rocksdb.WriteBatch;

/**
 * Changes of the index that happen together. Keeps the counters in step with the rows: the caller
 * says which row comes and which goes. Owned by one thread; {@link BlockIndex#write} closes it.
 */
final class IndexBatch implements AutoCloseable {
  static final byte[] NEXT_FILE = {'n'};
  static final byte[] BLOCKS = {'c', 'b'};
  static final byte[] CLEAN_BYTES = {'c', 'c'};
  static final byte[] DIRTY_BYTES = {'c', 'd'};
  static final byte[] LARGE_BYTES = {'c', 'l'};

  private final WriteBatch writes = new WriteBatch();
  private final ColumnFamilyHandle rows;
  private final ColumnFamilyHandle state;
  private final RowTotals totals = new RowTotals();

  IndexBatch(ColumnFamilyHandle rows, ColumnFamilyHandle state) {
    this.rows = rows;
    this.state = state;
  }

  /** What this batch adds to the totals. */
  RowTotals totals() {
    return totals;
  }

  IndexBatch add(BlockId id, IndexRow row) {
    return change(() -> writes.put(rows, IndexRow.key(id), row.encode())).count(row, 1);
  }

  IndexBatch remove(BlockId id, IndexRow row) {
    return change(() -> writes.delete(rows, IndexRow.key(id))).count(row, -1);
  }

  IndexBatch replace(BlockId id, IndexRow old, IndexRow row) {
    return change(() -> writes.put(rows, IndexRow.key(id), row.encode()))
        .count(old, -1)
        .count(row, 1);
  }

  /** The segment's records end here or later. */
  IndexBatch segmentEnd(long segment, long end) {
    return change(() -> writes.put(state, endKey(segment), number(end)));
  }

  IndexBatch forgetSegment(long segment) {
    return change(() -> writes.delete(state, endKey(segment)))
        .change(() -> writes.delete(state, liveKey(segment)));
  }

  IndexBatch nextFile(long next) {
    return change(() -> writes.put(state, NEXT_FILE, number(next)));
  }

  /** A file that must not outlive a crash is about to be made, or deleted. */
  IndexBatch unsettle(long file) {
    return change(() -> writes.put(state, unsettled(file), new byte[0]));
  }

  IndexBatch settle(long file) {
    return change(() -> writes.delete(state, unsettled(file)));
  }

  WriteBatch writes() {
    totals.forEachChange((key, delta) -> change(() -> writes.merge(state, key, number(delta))));
    return writes;
  }

  @Override
  public void close() {
    writes.close();
  }

  static byte[] endKey(long segment) {
    return keyed('e', segment);
  }

  static byte[] liveKey(long segment) {
    return keyed('l', segment);
  }

  static byte[] unsettled(long file) {
    return keyed('u', file);
  }

  private IndexBatch count(IndexRow row, int sign) {
    totals.blocks += sign;
    switch (row.kind()) {
      case CLEAN -> totals.cleanBytes += (long) sign * row.length();
      case DIRTY -> totals.dirtyBytes += (long) sign * row.length();
    }
    if (row.large()) {
      totals.largeBytes += sign * row.diskBytes();
      return this;
    }
    totals.addLive(row.file(), sign * row.diskBytes());
    return this;
  }

  private IndexBatch change(Change change) {
    try {
      change.apply();
      return this;
    } catch (RocksDBException failure) {
      throw new IllegalStateException("a batch in memory failed", failure);
    }
  }

  private static byte[] keyed(char kind, long number) {
    return ByteBuffer.allocate(1 + Long.BYTES).put((byte) kind).putLong(number).array();
  }

  private static byte[] number(long value) {
    return ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array();
  }

  private interface Change {
    void apply() throws RocksDBException;
  }
}
