package io.millrace.blocks;

import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/** A small store with small segments, and a clock that the test turns. */
final class StoreFixture {
  static final int SEGMENT_BYTES = 1 << 20;
  static final int SMALL_BYTES = 64 << 10;
  private final Path directory;
  private final long capacityBytes;
  private final long l1Bytes;
  private final AtomicLong nowSeconds = new AtomicLong(1_000_000_000);

  StoreFixture(Path directory, long capacityBytes, long l1Bytes) {
    this.directory = directory;
    this.capacityBytes = capacityBytes;
    this.l1Bytes = l1Bytes;
  }

  long nowSeconds() {
    return nowSeconds.get();
  }

  void hoursPass(int hours) {
    nowSeconds.addAndGet(hours * 3600L);
  }

  DiskBlockStore open() {
    InstantSource clock = () -> Instant.ofEpochSecond(nowSeconds.get());
    return new DiskBlockStore(config(directory, capacityBytes, l1Bytes), clock);
  }

  static BlockStoreConfig config(Path directory, long capacityBytes, long l1Bytes) {
    return new BlockStoreConfig(
        List.of(new BlockStoreConfig.Directory(directory, capacityBytes)),
        l1Bytes,
        16 << 20,
        SMALL_BYTES,
        SEGMENT_BYTES,
        4 << 20,
        1L << 30,
        24);
  }
}
