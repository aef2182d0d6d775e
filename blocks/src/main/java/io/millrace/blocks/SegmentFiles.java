package io.millrace.blocks;

import io.millrace.core.api.BlockStore.Kind;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.function.LongSupplier;

/**
 * The segment files of one directory: appended to, read, and removed as a whole. Clean and dirty
 * blocks are appended to different segments, so that whole segments can be dropped; staged ones to
 * segments of their own, since those are written in whole pages. Safe for many threads: an append
 * reserves its place under the monitor and writes outside of it.
 */
final class SegmentFiles implements AutoCloseable {
  private static final int OPEN_FILES = 256;
  private static final int ALIGNMENT = 64;

  /**
   * @param offset of the record's header
   */
  record Place(long segment, int offset) {}

  /** Meets the records of a segment in order. */
  interface RecordVisitor {
    void visit(RecordHeader header, int offset);
  }

  private final Path directory;
  private final int segmentBytes;
  private final LongSupplier numbers;
  private final OpenFiles files;
  private final ConcurrentSkipListMap<Long, Segment> segments = new ConcurrentSkipListMap<>();
  private final EnumMap<Kind, Segment> active = new EnumMap<>(Kind.class);
  private Segment staged;
  private volatile boolean direct = true;

  /**
   * @param numbers gives numbers for new files
   */
  SegmentFiles(Path directory, int segmentBytes, LongSupplier numbers) {
    this.directory = directory;
    this.segmentBytes = segmentBytes;
    this.numbers = numbers;
    this.files = new OpenFiles(OPEN_FILES, this::path);
  }

  /** Room that a block takes in a segment: header, bytes, and what alignment adds. */
  static long recordBytes(int length) {
    long end = (long) RecordHeader.SIZE_BYTES + length;
    return (end + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  }

  /** A segment found at start. It is not appended to any more. */
  void found(long number, long end, long live) {
    segments.put(number, new Segment(number, end, live));
  }

  void cut(long number, long end) {
    NativeFile file = files.acquire(number);
    try {
      file.truncate(end);
    } finally {
      file.release();
    }
  }

  List<Long> numbersOnDisk() {
    try (var names = Files.list(directory)) {
      return names
          .map(path -> path.getFileName().toString())
          .filter(name -> name.endsWith(".seg"))
          .map(name -> Long.parseUnsignedLong(name.substring(0, name.length() - 4), 16))
          .sorted()
          .toList();
    } catch (IOException failure) {
      throw new FsException(failure, Errno.EIO, "can't list segments", "path", directory);
    }
  }

  /**
   * Writes a record. Until the caller says {@link Segment#settled}, the segment is not removed.
   *
   * @return its place, and the end of the segment that the index must know
   */
  Segment.Written append(RecordHeader header, MemorySegment bytes) {
    Segment.Written written = reserve(header.kind(), recordBytes(header.length()));
    boolean done = false;
    try (Arena arena = Arena.ofConfined()) {
      NativeFile file = files.acquire(written.segment().number());
      try {
        MemorySegment head = arena.allocate(RecordHeader.SIZE_BYTES);
        header.encode(head);
        file.write(head, bytes, written.offset());
        done = true;
      } finally {
        file.release();
      }
      return written;
    } finally {
      if (!done) {
        written.segment().undo(written.offset(), recordBytes(header.length()));
      }
    }
  }

  /** Reads the bytes of a block; false where the file ends before. */
  boolean read(IndexRow row, MemorySegment target) {
    NativeFile file = files.acquire(row.file());
    try {
      long from = (long) row.offset() + RecordHeader.SIZE_BYTES;
      return file.read(target, from) == target.byteSize();
    } finally {
      file.release();
    }
  }

  /** All good headers from an offset on; damaged ones are stepped over. */
  void scan(long number, long from, RecordVisitor visitor) {
    NativeFile file = files.acquire(number);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment head = arena.allocate(RecordHeader.SIZE_BYTES);
      long offset = from;
      while (file.read(head, offset) == RecordHeader.SIZE_BYTES) {
        RecordHeader header = RecordHeader.decode(head);
        if (header != null) {
          visitor.visit(header, (int) offset);
        }
        offset += header == null ? ALIGNMENT : recordBytes(header.length());
      }
    } finally {
      file.release();
    }
  }

  Segment segment(long number) {
    return segments.get(number);
  }

  Collection<Segment> all() {
    return segments.values();
  }

  void addLive(Map<Long, Long> changes) {
    changes.forEach(
        (number, bytes) -> {
          Segment segment = segments.get(number);
          if (segment != null) {
            segment.addLive(bytes);
          }
        });
  }

  /** Whether nothing is appended to it any more. */
  synchronized boolean sealed(Segment segment) {
    return segment != staged && !active.containsValue(segment);
  }

  /** The next append starts new segments. */
  synchronized void sealAll() {
    active.clear();
    staged = null;
  }

  /** The next {@link #stageTo} starts a new segment. */
  synchronized void sealStaged() {
    staged = null;
  }

  /** Whether a segment can take so many bytes at all. */
  boolean fits(long bytes) {
    return bytes <= segmentBytes;
  }

  /** The segment that staged records go to, held until {@link Segment#settled}. */
  synchronized Segment stageTo(long bytes) {
    if (staged == null || staged.end() + bytes > segmentBytes) {
      staged = create();
    }
    staged.hold();
    return staged;
  }

  int roomIn(Segment segment) {
    return (int) (segmentBytes - segment.end());
  }

  /** Writes whole pages at their place, past the page cache where the file system can do that. */
  void writePages(long number, MemorySegment pages, long offset) {
    if (direct) {
      direct = writeDirect(number, pages, offset);
    }
    if (!direct) {
      NativeFile file = files.acquire(number);
      try {
        file.write(pages, offset);
      } finally {
        file.release();
      }
    }
  }

  /** False: the file system does not take it. */
  private boolean writeDirect(long number, MemorySegment pages, long offset) {
    try {
      NativeFile file = NativeFile.open(path(number), NativeFile.WRITE_DIRECT);
      try {
        file.write(pages, offset);
        return true;
      } finally {
        file.release();
      }
    } catch (FsException refused) {
      if (refused.errno() == Errno.EINVAL) {
        return false;
      }
      throw refused;
    }
  }

  /** The segment leaves the list: no new reader finds it; those that read it go on. */
  void remove(Segment segment) {
    segments.remove(segment.number());
    delete(segment.number());
  }

  /** The name goes first: nobody opens the file again after it was forgotten. */
  void delete(long number) {
    try {
      Files.deleteIfExists(path(number));
    } catch (IOException failure) {
      throw new FsException(failure, Errno.EIO, "can't delete segment", "path", directory);
    } finally {
      files.forget(number);
    }
  }

  void sync(long number) {
    if (segments.containsKey(number)) {
      NativeFile file = files.acquire(number);
      try {
        file.syncData();
      } finally {
        file.release();
      }
    }
  }

  Path directory() {
    return directory;
  }

  @Override
  public void close() {
    files.close();
  }

  private synchronized Segment.Written reserve(Kind kind, long bytes) {
    Segment segment = active.get(kind);
    if (segment == null || segment.end() + bytes > segmentBytes) {
      segment = create();
      active.put(kind, segment);
    }
    return segment.reserve(bytes);
  }

  private Segment create() {
    long number = numbers.getAsLong();
    files.create(number);
    var segment = new Segment(number, 0, 0);
    segments.put(number, segment);
    return segment;
  }

  private Path path(long number) {
    return directory.resolve(String.format("%016x.seg", number));
  }
}
