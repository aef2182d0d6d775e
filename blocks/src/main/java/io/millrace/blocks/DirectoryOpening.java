package io.millrace.blocks;

import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Opens one directory: takes its lock, opens the index (or makes it anew from the blocks where it
 * is missing or damaged), cuts torn tails, and deletes what interrupted writes and deletes left.
 * Lives until {@link DiskDirectory} has taken over its parts.
 */
final class DirectoryOpening {
  private static final String FORMAT = "millrace blocks 1\n";
  private static final int RESERVE_SHARE = 8;

  final Path path;
  final BlockStoreConfig config;
  final DirectoryLock lock;
  final BlockIndex index;
  final SegmentFiles segments;
  final LargeFiles large;
  final Space space;
  final AtomicLong nextFile;

  DirectoryOpening(BlockStoreConfig config, BlockStoreConfig.Directory directory) {
    this.config = config;
    path = directory.path();
    long reserve = Math.min(config.segmentBytes(), directory.capacityBytes() / RESERVE_SHARE);
    space = new Space(directory.capacityBytes(), reserve);
    lock = DirectoryLock.take(path);
    BlockIndex opened = null;
    boolean done = false;
    try {
      checkFormat();
      large = new LargeFiles(path.resolve("large"));
      opened = openIndex();
      index = opened;
      nextFile = new AtomicLong(Math.max(1, index.number(IndexBatch.NEXT_FILE)));
      segments =
          new SegmentFiles(
              directory(path.resolve("segments")),
              config.segmentBytes(),
              () -> DiskDirectory.newFile(index, nextFile, false));
      if (Files.exists(damageMark())) {
        nextFile.set(new IndexRebuild(index, segments, large).run());
        Files.delete(damageMark());
      }
      settleFiles();
      findSegments();
      done = true;
    } catch (IOException failure) {
      throw new FsException(failure, Errno.EIO, "can't open block directory", "path", path);
    } finally {
      if (!done) {
        closeParts(opened);
      }
    }
  }

  private void closeParts(BlockIndex opened) {
    if (opened != null) {
      opened.close();
    }
    lock.close();
  }

  static DiskDirectory open(
      BlockStoreConfig config, BlockStoreConfig.Directory directory, StoreCounters counters) {
    return new DiskDirectory(new DirectoryOpening(config, directory), counters);
  }

  /** A start of the line is a first start that a power cut ended. */
  private void checkFormat() throws IOException {
    Path file = path.resolve("format");
    String found = Files.exists(file) ? Files.readString(file) : "";
    if (found.equals(FORMAT)) {
      return;
    }
    if (!FORMAT.startsWith(found)) {
      throw new FsException(
          Errno.EINVAL,
          "block directory has a format that this version can't read",
          "path",
          path,
          "format",
          found.strip());
    }
    try (var channel =
        FileChannel.open(
            file,
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING,
            StandardOpenOption.WRITE)) {
      channel.write(ByteBuffer.wrap(FORMAT.getBytes(StandardCharsets.US_ASCII)));
      channel.force(true);
    }
    NativeFile.syncDirectory(path);
  }

  /** The mark stays until the index is whole again, so that a killed rebuild starts over. */
  private BlockIndex openIndex() throws IOException {
    Path current = path.resolve("index").resolve("CURRENT");
    if (!Files.exists(current) && Files.exists(path.resolve("segments"))) {
      markDamaged();
    }
    if (Files.exists(damageMark())) {
      deleteIndex();
    }
    try {
      return new BlockIndex(path, config.indexCacheBytes());
    } catch (IndexDamage damage) {
      markDamaged();
      deleteIndex();
      return new BlockIndex(path, config.indexCacheBytes());
    }
  }

  private Path damageMark() {
    return path.resolve(BlockIndex.DAMAGED);
  }

  private void markDamaged() throws IOException {
    if (!Files.exists(damageMark())) {
      Files.createFile(damageMark());
    }
  }

  private void deleteIndex() throws IOException {
    Path top = path.resolve("index");
    if (Files.exists(top)) {
      try (var all = Files.walk(top)) {
        for (Path each : all.sorted(Comparator.reverseOrder()).toList()) {
          Files.delete(each);
        }
      }
    }
  }

  private void settleFiles() {
    for (long file : index.unsettledFiles()) {
      large.delete(file);
      index.write(index.batch().settle(file));
    }
  }

  /** A number not given out: a power cut took what was known of it; it will be given out again. */
  private void findSegments() {
    for (long number : segments.numbersOnDisk()) {
      if (number >= nextFile.get()) {
        segments.delete(number);
        continue;
      }
      long live = index.number(IndexBatch.liveKey(number));
      long end = indexedEnd(number);
      segments.cut(number, end);
      segments.found(number, end, live);
    }
  }

  /** Counters may be a little behind the rows of writers that ran side by side: looks on. */
  private long indexedEnd(long number) {
    long[] end = {index.number(IndexBatch.endKey(number))};
    segments.scan(
        number,
        end[0],
        (header, offset) -> {
          IndexRow row = index.get(header.id());
          if (row != null && !row.large() && row.file() == number && row.offset() == offset) {
            end[0] = offset + row.diskBytes();
          }
        });
    return end[0];
  }

  private static Path directory(Path path) throws IOException {
    return Files.createDirectories(path);
  }
}
