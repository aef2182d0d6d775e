package io.millrace.meta;

import io.millrace.core.api.Ino;
import io.millrace.meta.store.StoreConfig;
import java.nio.file.Path;

/**
 * What a namespace needs.
 *
 * @param directory RocksDB's; made where it is missing
 * @param blockCacheBytes RocksDB's blocks, index and filters in memory, strictly
 * @param writeBufferBytes memtables
 * @param shard upper bits of the inode numbers given out; the root is in shard 0
 * @param blockSync makes all blocks of the block store survive power loss (H13); runs on the
 *     journal's threads
 */
public record NamespaceConfig(
    Path directory, long blockCacheBytes, long writeBufferBytes, int shard, Runnable blockSync) {

  public NamespaceConfig {
    Ino.of(shard, 1); // refuses a shard that no inode number can carry
  }

  /** Sizes that suit a node with a small heap. */
  public static NamespaceConfig of(Path directory, Runnable blockSync) {
    return new NamespaceConfig(directory, 32L << 20, 16L << 20, 0, blockSync);
  }

  StoreConfig store() {
    return new StoreConfig(directory, blockCacheBytes, writeBufferBytes);
  }
}
