package io.millrace.blocks;

import io.millrace.core.api.BlockId;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Makes a lost index anew from what the blocks say about themselves. Every block is read and
 * verified; damaged ones stay out. What only the index knew is lost: dropped small blocks whose
 * segment still exists come back (the collector drops them again), and a dirty block that was
 * exported since counts as dirty again. So nothing that is the only copy is ever dropped.
 */
final class IndexRebuild {
  private final BlockIndex index;
  private final SegmentFiles segments;
  private final LargeFiles large;

  IndexRebuild(BlockIndex index, SegmentFiles segments, LargeFiles large) {
    this.index = index;
    this.segments = segments;
    this.large = large;
  }

  /** Returns the next free file number. */
  long run() {
    long next = 1;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment scratch = arena.allocate(BlockId.MAX_BYTES);
      for (long number : segments.numbersOnDisk()) {
        segments.scan(number, 0, (header, offset) -> addSmall(number, header, offset, scratch));
        next = Math.max(next, number + 1);
      }
      for (long number : large.numbersOnDisk()) {
        addLarge(number, scratch);
        next = Math.max(next, number + 1);
      }
    }
    index.write(index.batch().nextFile(next));
    index.syncLog();
    return next;
  }

  private void addSmall(long segment, RecordHeader header, int offset, MemorySegment scratch) {
    if (header.length() <= 0 || header.length() > BlockId.MAX_BYTES) {
      return;
    }
    IndexRow row = row(header, false, segment, offset);
    MemorySegment bytes = scratch.asSlice(0, header.length());
    if (segments.read(row, bytes) && Crc32c.of(bytes) == header.crc32c()) {
      IndexBatch batch = index.batch().segmentEnd(segment, offset + row.diskBytes());
      put(batch, header.id(), row);
    }
  }

  private void addLarge(long file, MemorySegment scratch) {
    RecordHeader header = large.header(file);
    if (header != null && header.length() <= BlockId.MAX_BYTES) {
      IndexRow row = row(header, true, file, 0);
      if (large.read(row, 0, header.length(), bytes -> scratch.asSlice(0, bytes)) == 0) {
        put(index.batch(), header.id(), row);
        return;
      }
    }
    large.delete(file);
  }

  /** Of two copies the later one stays: a block that was moved. */
  private void put(IndexBatch batch, BlockId id, IndexRow row) {
    IndexRow old = index.get(id);
    index.write(old == null ? batch.add(id, row) : batch.replace(id, old, row));
  }

  private static IndexRow row(RecordHeader header, boolean isLarge, long file, int offset) {
    return new IndexRow(header.kind(), isLarge, file, offset, header.length(), header.crc32c(), 0);
  }
}
