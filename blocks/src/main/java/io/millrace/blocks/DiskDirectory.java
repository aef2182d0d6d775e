package io.millrace.blocks;

import io.millrace.core.api.BlockId;
import io.millrace.core.api.BlockStore.Kind;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.IntFunction;

/**
 * One directory of the store: its index, segments and large files. Safe for many threads: a block's
 * row is read and changed under its key's lock, and in the index only while the block is not in the
 * {@link CleanStage}. Invariant: a row is written after its bytes, so that a killed process leaves
 * no half block; room was taken in {@link Space} before.
 */
final class DiskDirectory implements AutoCloseable {
  private final Path path;
  private final int smallBlockBytes;
  private final DirectoryLock lock;
  private final BlockIndex index;
  private final SegmentFiles segments;
  private final LargeFiles large;
  private final Space space;
  private final RowTotals totals;
  private final KeyLocks locks = new KeyLocks();
  private final SyncGroup sync;
  private final AtomicLong nextFile;
  private final AbsentBlocks absent = new AbsentBlocks();
  private final StoreCounters counters;
  private final CleanStage stage;

  /** Opens what {@link DirectoryOpening} found. */
  DiskDirectory(DirectoryOpening opening, StoreCounters counters) {
    this.counters = counters;
    path = opening.path;
    smallBlockBytes = opening.config.smallBlockBytes();
    lock = opening.lock;
    index = opening.index;
    segments = opening.segments;
    large = opening.large;
    space = opening.space;
    nextFile = opening.nextFile;
    totals = RowTotals.stored(index);
    space.found(totals.largeBytes);
    segments.all().forEach(segment -> space.found(segment.end()));
    space.indexTakes(index.diskBytes());
    sync = new SyncGroup(segments, large, index);
    stage = new CleanStage(segments, space, new StagedBlocks());
    stage.start();
  }

  Path path() {
    return path;
  }

  Space space() {
    return space;
  }

  SegmentFiles segments() {
    return segments;
  }

  BlockIndex index() {
    return index;
  }

  RowTotals totals() {
    RowTotals all = totals.copy();
    stage.addTo(all);
    return all;
  }

  CleanStage stage() {
    return stage;
  }

  /** The row, or null. */
  IndexRow row(BlockId id) {
    IndexRow staged = stage.row(id);
    return staged == null ? absent.look(id, () -> index.get(id)) : staged;
  }

  boolean small(int length) {
    return length <= smallBlockBytes;
  }

  /** Disk room of a block of this length. */
  long roomFor(int length) {
    return small(length) ? SegmentFiles.recordBytes(length) : LargeTrailer.fileBytes(length);
  }

  /**
   * Stores a block for which room was taken.
   *
   * @return the row that was there already (nothing was stored, the room is given back), or null
   */
  IndexRow store(RecordHeader header, PieceSums sums, MemorySegment bytes, int hour) {
    boolean stored = false;
    try (var _ = locks.hold(header.id())) {
      if (header.kind() == Kind.DIRTY) {
        stage.settle(header.id());
      }
      IndexRow old = row(header.id());
      if (old == null) {
        storeNew(header, sums, bytes, hour);
        stored = true;
      }
      return old;
    } finally {
      if (!stored) {
        space.give(roomFor(header.length()));
      }
    }
  }

  /** Under the key's lock to the end: who takes it next must not hear that the block is absent. */
  private void storeNew(RecordHeader header, PieceSums sums, MemorySegment bytes, int hour) {
    try {
      if (!small(header.length())) {
        storeLarge(header, sums, bytes, hour);
      } else if (header.kind() == Kind.DIRTY || !stage.add(header, bytes, hour)) {
        storeSmall(header, bytes, hour);
      }
    } finally {
      absent.forget(header.id());
    }
  }

  /**
   * Reads and verifies a range.
   *
   * @param memory gives memory for as many bytes as must be read: for a small block all of it
   * @return where the range starts in that memory; -1: damaged or gone
   */
  int read(IndexRow row, int offset, int length, IntFunction<MemorySegment> memory) {
    try {
      if (row.large()) {
        return large.read(row, offset, length, memory);
      }
      MemorySegment target = memory.apply(row.length());
      boolean found = stage.read(row, target) || segments.read(row, target);
      return found && Crc32c.of(target) == row.crc32c() ? offset : -1;
    } catch (FsException failure) {
      // a bad sector is damage like a flipped bit: a clean block is fetched again
      if (failure.errno() == Errno.ENOENT || failure.errno() == Errno.EIO) {
        return -1;
      }
      throw failure;
    }
  }

  /** Starts to bring a range of a large block into the page cache. */
  void expect(IndexRow row, int offset, int length) {
    if (row.large()) {
      large.expect(row, offset, length);
    }
  }

  /** Drops the block if it still is where {@code seen} says; null: wherever it is. */
  boolean drop(BlockId id, IndexRow seen, boolean cleanOnly) {
    IndexRow row;
    try (var _ = locks.hold(id)) {
      stage.settle(id);
      row = index.get(id);
      if (row == null
          || (seen != null && !row.samePlace(seen))
          || (cleanOnly && row.kind() != Kind.CLEAN)) {
        return false;
      }
      IndexBatch batch = index.batch().remove(id, row);
      commit(row.large() ? batch.unsettle(row.file()) : batch);
    }
    if (row.large()) {
      large.delete(row.file());
      index.write(index.batch().settle(row.file()));
      space.give(row.diskBytes());
    }
    return true;
  }

  void setKind(BlockId id, Kind kind) {
    try (var _ = locks.hold(id)) {
      if (kind == Kind.DIRTY) {
        stage.settle(id);
      }
      IndexRow row = row(id);
      if (row != null && row.kind() != kind) {
        commit(index.batch().replace(id, row, row.withKind(kind)));
      }
    }
  }

  void used(BlockId id, int hour) {
    try (var _ = locks.hold(id)) {
      IndexRow row = row(id);
      if (row != null && row.usedHour() != hour) {
        stage.settle(id);
        row = index.get(id);
      }
      if (row != null && row.usedHour() != hour) {
        commit(index.batch().replace(id, row, row.withUsedHour(hour)));
      }
    }
  }

  /**
   * Moves a small block to the segment that is appended to, if it still is where {@code seen} says.
   * Room is taken from the reserve.
   *
   * @param from the segment it is in
   * @return false: it is damaged or there is no room
   */
  boolean move(BlockId id, IndexRow seen, Segment from, MemorySegment scratch) {
    try (var _ = locks.hold(id)) {
      IndexRow row = index.get(id);
      if (row == null || !row.samePlace(seen)) {
        return true;
      }
      MemorySegment bytes = scratch.asSlice(0, row.length());
      if (!segments.read(row, bytes) || Crc32c.of(bytes) != row.crc32c()) {
        return row.kind() == Kind.CLEAN && removeDamaged(id, row);
      }
      if (!space.takeReserve(row.diskBytes())) {
        return false;
      }
      var header = new RecordHeader(id, row.kind(), row.length(), row.crc32c());
      Segment.Written written = append(header, bytes);
      from.movedOut();
      try {
        IndexRow moved = row.movedTo(written.place());
        commit(
            index
                .batch()
                .replace(id, row, moved)
                .segmentEnd(written.segment().number(), written.end()));
      } finally {
        written.segment().settled();
      }
      return true;
    }
  }

  /**
   * Removes a segment without live blocks; false where it isn't one (any more). Whoever emptied it:
   * what was moved is durable at its new place first.
   */
  boolean remove(Segment segment) {
    if (!segments.sealed(segment) || !segment.empty()) {
      return false;
    }
    if (segment.wasMovedOutOf()) {
      sync.sync();
    }
    if (!segment.retire()) {
      return false;
    }
    long bytes = segment.end();
    index.write(index.batch().forgetSegment(segment.number()));
    segments.remove(segment);
    space.give(bytes);
    return true;
  }

  void sync() {
    stage.flush();
    sync.sync();
  }

  /** How many times the disk was synced. */
  long syncs() {
    return sync.rounds();
  }

  /** Each segment that is appended to now can be removed or compacted from now on. */
  void sealAll() {
    stage.flush();
    segments.sealAll();
  }

  @Override
  public void close() {
    try {
      stage.close();
      sync.sync();
    } finally {
      segments.close();
      index.close();
      lock.close();
    }
  }

  private boolean removeDamaged(BlockId id, IndexRow row) {
    commit(index.batch().remove(id, row));
    return true;
  }

  private void storeSmall(RecordHeader header, MemorySegment bytes, int hour) {
    Segment.Written written = append(header, bytes);
    try {
      var place = written.place();
      var row =
          new IndexRow(
              header.kind(),
              false,
              place.segment(),
              place.offset(),
              header.length(),
              header.crc32c(),
              hour);
      commit(index.batch().add(header.id(), row).segmentEnd(place.segment(), written.end()));
    } finally {
      written.segment().settled();
    }
  }

  private Segment.Written append(RecordHeader header, MemorySegment bytes) {
    Segment.Written written = segments.append(header, bytes);
    sync.wroteSegment(written.segment().number());
    return written;
  }

  private void storeLarge(RecordHeader header, PieceSums sums, MemorySegment bytes, int hour) {
    long file = newFile(true);
    boolean stored = false;
    try {
      large.write(file, LargeTrailer.of(header, sums), bytes);
      var row = new IndexRow(header.kind(), true, file, 0, header.length(), header.crc32c(), hour);
      commit(index.batch().add(header.id(), row).settle(file));
      stored = true;
    } finally {
      if (!stored) {
        large.delete(file);
      }
    }
    sync.wroteLarge(file);
  }

  private long newFile(boolean unsettled) {
    return newFile(index, nextFile, unsettled);
  }

  static long newFile(BlockIndex index, AtomicLong nextFile, boolean unsettled) {
    long file = nextFile.getAndIncrement();
    IndexBatch batch = index.batch().nextFile(file + 1);
    index.write(unsettled ? batch.unsettle(file) : batch);
    return file;
  }

  private void commit(IndexBatch batch) {
    RowTotals change = batch.totals();
    index.write(batch);
    totals.add(change);
    segments.addLive(change.live);
  }

  /** What the stage's thread does with a full buffer. */
  private final class StagedBlocks implements CleanStage.Sink {
    @Override
    public void store(StageBuffer buffer) {
      long segment = buffer.segment().number();
      segments.writePages(segment, buffer.pages(), buffer.base());
      sync.wroteSegment(segment);
      IndexBatch batch = index.batch().segmentEnd(segment, buffer.end());
      buffer.rows().forEach(batch::add);
      commit(batch);
      buffer.rows().keySet().forEach(absent::forget);
    }

    @Override
    public void lost(int blocks) {
      counters.notKept.add(blocks);
    }
  }
}
