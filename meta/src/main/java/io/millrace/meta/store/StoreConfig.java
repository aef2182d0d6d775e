package io.millrace.meta.store;

import java.nio.file.Path;

/**
 * @param blockCacheBytes data, index and filter blocks of RocksDB together, strictly
 * @param writeBufferBytes memtables together
 */
public record StoreConfig(Path directory, long blockCacheBytes, long writeBufferBytes) {
  private static final long MIN_CACHE_BYTES = 8L << 20;
  private static final long MIN_BUFFER_BYTES = 4L << 20;

  public StoreConfig {
    if (blockCacheBytes < MIN_CACHE_BYTES || writeBufferBytes < MIN_BUFFER_BYTES) {
      throw new IllegalArgumentException(
          "namespace needs a block cache of 8 MiB and write buffers of 4 MiB at least");
    }
  }
}
