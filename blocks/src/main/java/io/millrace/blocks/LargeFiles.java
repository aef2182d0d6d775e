package io.millrace.blocks;

import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;

/**
 * Blocks in files of their own: the bytes, then a {@link LargeTrailer}. A file is written once,
 * under its final name; the index row, written after it, makes it visible. Safe for many threads.
 */
final class LargeFiles {
  private static final int SUBDIRECTORIES = 256;
  private final Path directory;

  LargeFiles(Path directory) {
    this.directory = directory;
    try {
      for (int i = 0; i < SUBDIRECTORIES; i++) {
        Files.createDirectories(subdirectory(i));
      }
    } catch (IOException failure) {
      throw new FsException(failure, Errno.EIO, "can't make directory", "path", directory);
    }
  }

  void write(long number, LargeTrailer trailer, MemorySegment bytes) {
    NativeFile file = NativeFile.open(path(number), NativeFile.CREATE_EMPTY);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment tail = arena.allocate(LargeTrailer.sizeBytes(trailer.header().length()));
      trailer.encode(tail);
      file.write(bytes, tail, 0);
    } finally {
      file.release();
    }
  }

  /**
   * Reads and verifies the whole pieces of 64 KiB that hold a range.
   *
   * @param memory gives memory for as many bytes as must be read
   * @return where the range starts in that memory; -1: damaged
   */
  int read(IndexRow row, int offset, int length, IntFunction<MemorySegment> memory) {
    NativeFile file = NativeFile.open(path(row.file()), NativeFile.READ);
    try (Arena arena = Arena.ofConfined()) {
      LargeTrailer trailer = trailer(file, row.length(), arena);
      int firstPiece = offset / LargeTrailer.PIECE_BYTES;
      int from = firstPiece * LargeTrailer.PIECE_BYTES;
      int to = Math.min(row.length(), roundUp(offset + length));
      MemorySegment target = memory.apply(to - from);
      boolean good =
          trailer != null
              && file.read(target, from) == target.byteSize()
              && trailer.holds(target, firstPiece);
      return good ? offset - from : -1;
    } finally {
      file.release();
    }
  }

  /** Starts to bring a range into the page cache; nothing where the file is gone. */
  void expect(IndexRow row, int offset, int length) {
    NativeFile file;
    try {
      file = NativeFile.open(path(row.file()), NativeFile.READ);
    } catch (FsException failure) {
      return; // a hint; who reads will be told
    }
    try {
      file.willNeed(offset, length);
    } finally {
      file.release();
    }
  }

  /** What a file says about itself, or null; for making the index anew. */
  RecordHeader header(long number) {
    NativeFile file = NativeFile.open(path(number), NativeFile.READ);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment head = arena.allocate(RecordHeader.SIZE_BYTES);
      long size = Files.size(path(number));
      if (size < head.byteSize() || file.read(head, size - head.byteSize()) < head.byteSize()) {
        return null;
      }
      RecordHeader header = RecordHeader.decode(head);
      return header != null && LargeTrailer.fileBytes(header.length()) == size ? header : null;
    } catch (IOException failure) {
      throw new FsException(failure, Errno.EIO, "can't read block file", "number", number);
    } finally {
      file.release();
    }
  }

  void delete(long number) {
    try {
      Files.deleteIfExists(path(number));
    } catch (IOException failure) {
      throw new FsException(failure, Errno.EIO, "can't delete block file", "number", number);
    }
  }

  /** Makes bytes and name durable; nothing where it is deleted meanwhile. */
  void sync(long number) {
    NativeFile file;
    try {
      file = NativeFile.open(path(number), NativeFile.READ);
    } catch (FsException failure) {
      if (failure.errno() == Errno.ENOENT) {
        return;
      }
      throw failure;
    }
    try {
      file.syncData();
    } finally {
      file.release();
    }
  }

  Path subdirectory(long number) {
    return directory.resolve(String.format("%02x", number % SUBDIRECTORIES));
  }

  List<Long> numbersOnDisk() {
    var found = new ArrayList<Long>();
    for (int i = 0; i < SUBDIRECTORIES; i++) {
      try (var names = Files.list(subdirectory(i))) {
        names.forEach(path -> found.add(Long.parseUnsignedLong(path.getFileName().toString(), 16)));
      } catch (IOException failure) {
        throw new FsException(failure, Errno.EIO, "can't list blocks", "path", directory);
      }
    }
    return found;
  }

  private static LargeTrailer trailer(NativeFile file, int blockLength, Arena arena) {
    MemorySegment tail = arena.allocate(LargeTrailer.sizeBytes(blockLength));
    boolean there = file.read(tail, blockLength) == tail.byteSize();
    return there ? LargeTrailer.decode(tail, blockLength) : null;
  }

  private static int roundUp(int end) {
    int pieces = (end + LargeTrailer.PIECE_BYTES - 1) / LargeTrailer.PIECE_BYTES;
    return pieces * LargeTrailer.PIECE_BYTES;
  }

  private Path path(long number) {
    return subdirectory(number).resolve(String.format("%016x", number));
  }
}
