package io.millrace.blocks;

import io.millrace.core.api.BlockId;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * One stretch of a segment in memory before it is written: whole pages from {@link #base} on.
 * Guarded by the lock of its {@link CleanStage}, but for the bytes: a reserved place belongs to who
 * reserved it until the row is added, then all only read. Invariant: with {@code users} above 0 the
 * memory is not used for anything else.
 */
final class StageBuffer {
  static final int BYTES = 1 << 20;
  static final int PAGE_BYTES = 4096;
  private static final int MAX_PLACES = 1024;

  private final MemorySegment memory;
  private final Map<BlockId, IndexRow> rows = new LinkedHashMap<>();
  private Segment segment;
  private int base;
  private int limit;
  private int filled;
  private int places;
  private long dueNanos;
  private int users;

  /**
   * @param memory of {@link #BYTES}, at a multiple of {@link #PAGE_BYTES}
   */
  StageBuffer(MemorySegment memory) {
    this.memory = memory;
  }

  static long wholePages(long bytes) {
    return (bytes + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
  }

  /** Stands for what follows the segment's end from now on. */
  void open(Segment target, int room, long due) {
    segment = target;
    base = (int) target.end();
    limit = Math.min(BYTES, room / PAGE_BYTES * PAGE_BYTES);
    filled = 0;
    places = 0;
    dueNanos = due;
  }

  boolean fits(long bytes) {
    return filled + bytes <= limit && places < MAX_PLACES;
  }

  /** Where in the buffer a record goes; its writer is a user until it says {@link #leave}. */
  int reserve(long bytes) {
    int at = filled;
    filled += (int) bytes;
    places++;
    users++;
    return at;
  }

  void copyIn(int at, RecordHeader header, MemorySegment bytes) {
    header.encode(memory.asSlice(at, RecordHeader.SIZE_BYTES));
    memory.asSlice(at + RecordHeader.SIZE_BYTES, bytes.byteSize()).copyFrom(bytes);
  }

  /** No record here: nothing that an earlier use left may look like one. */
  void erase(int at, long bytes) {
    memory.asSlice(at, bytes).fill((byte) 0);
  }

  IndexRow add(RecordHeader header, int at, int hour) {
    var row =
        new IndexRow(
            header.kind(),
            false,
            segment.number(),
            base + at,
            header.length(),
            header.crc32c(),
            hour);
    rows.put(header.id(), row);
    return row;
  }

  void copyOut(IndexRow row, MemorySegment target) {
    long from = (long) row.offset() - base + RecordHeader.SIZE_BYTES;
    target.copyFrom(memory.asSlice(from, target.byteSize()));
  }

  /** No record is added any more; the segment ends where the pages do. */
  void seal() {
    int end = (int) wholePages(filled);
    memory.asSlice(filled, end - filled).fill((byte) 0);
    segment.extend(base, end);
  }

  /** Bytes that {@link #seal} adds to the records. */
  int padding() {
    return (int) wholePages(filled) - filled;
  }

  boolean holds(IndexRow row) {
    return segment != null
        && segment.number() == row.file()
        && row.offset() >= base
        && row.offset() < base + filled;
  }

  void enter() {
    users++;
  }

  void leave() {
    users--;
  }

  boolean unused() {
    return users == 0;
  }

  /** What was here lies in the segment, or is lost. */
  void clear() {
    rows.clear();
    segment = null;
  }

  long dueNanos() {
    return dueNanos;
  }

  Segment segment() {
    return segment;
  }

  int base() {
    return base;
  }

  /** Where the last record ends in the segment. */
  int end() {
    return base + filled;
  }

  Map<BlockId, IndexRow> rows() {
    return rows;
  }

  MemorySegment pages() {
    return memory.asSlice(0, wholePages(filled));
  }
}
