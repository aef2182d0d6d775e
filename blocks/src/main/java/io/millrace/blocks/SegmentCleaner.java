package io.millrace.blocks;

import io.millrace.core.api.BlockId;
import io.millrace.core.api.BlockStore.Kind;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.function.LongConsumer;

/**
 * Empties a segment and removes it: clean blocks are dropped or moved, dirty ones always moved.
 * Readers are never blocked: they hold the file or find the block's new place. Moved bytes are
 * durable before the old ones go ({@link DiskDirectory#remove}).
 */
final class SegmentCleaner {
  private final DiskDirectory directory;
  private final LongConsumer pace;

  /**
   * @param pace told how many bytes were moved; may wait
   */
  SegmentCleaner(DiskDirectory directory, LongConsumer pace) {
    this.directory = directory;
    this.pace = pace;
  }

  /** Returns whether the segment is gone. */
  boolean clean(Segment segment, boolean dropClean) {
    if (!directory.segments().sealed(segment)) {
      return false;
    }
    if (!segment.beginCleaning()) {
      return segment.retired();
    }
    try {
      return walk(new Pass(segment, dropClean)) && directory.remove(segment);
    } finally {
      segment.endCleaning();
    }
  }

  private boolean walk(Pass pass) {
    try (Arena arena = Arena.ofConfined()) {
      pass.scratch = arena.allocate(BlockId.MAX_BYTES);
      directory.segments().scan(pass.segment.number(), 0, pass::record);
    }
    return !pass.stuck;
  }

  /** One walk over one segment. */
  private final class Pass {
    private final Segment segment;
    private final boolean dropClean;
    private MemorySegment scratch;
    private boolean stuck;

    Pass(Segment segment, boolean dropClean) {
      this.segment = segment;
      this.dropClean = dropClean;
    }

    void record(RecordHeader header, int offset) {
      IndexRow row = stuck ? null : directory.row(header.id());
      if (row == null || row.large() || row.file() != segment.number() || row.offset() != offset) {
        return;
      }
      if (dropClean && row.kind() == Kind.CLEAN) {
        directory.drop(header.id(), row, true);
        return;
      }
      if (directory.move(header.id(), row, segment, scratch)) {
        pace.accept(row.diskBytes());
      } else {
        stuck = true;
      }
    }
  }
}
