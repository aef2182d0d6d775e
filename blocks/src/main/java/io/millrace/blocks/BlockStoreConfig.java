package io.millrace.blocks;

import io.millrace.core.api.BlockId;
import java.nio.file.Path;
import java.util.List;

/**
 * Configuration of a {@link DiskBlockStore}.
 *
 * @param directories where blocks lie; each block in one of them
 * @param l1Bytes memory for cached blocks, at least 4 KiB
 * @param bufferBytes memory for blocks on their way that are not cached, at least 4 MiB
 * @param smallBlockBytes blocks up to this length share segment files
 * @param segmentBytes length at which a segment file is full
 * @param indexCacheBytes memory of each directory's index, at least 1 MiB
 * @param compactionBytesPerSecond how fast live blocks are moved out of segments that are mostly
 *     dead
 * @param idleHours a block not used for this long may be replaced by any other
 */
public record BlockStoreConfig(
    List<Directory> directories,
    long l1Bytes,
    long bufferBytes,
    int smallBlockBytes,
    int segmentBytes,
    long indexCacheBytes,
    long compactionBytesPerSecond,
    int idleHours) {

  /**
   * @param capacityBytes hard limit on what the store keeps there
   */
  public record Directory(Path path, long capacityBytes) {
    public Directory {
      if (capacityBytes < 64 << 10) {
        throw new IllegalArgumentException("capacity below 64 KiB: " + path);
      }
    }
  }

  public BlockStoreConfig {
    directories = List.copyOf(directories);
    if (directories.isEmpty()) {
      throw new IllegalArgumentException("no directory for blocks");
    }
    if (bufferBytes < BlockId.MAX_BYTES) {
      throw new IllegalArgumentException("bufferBytes below one block: " + bufferBytes);
    }
    if (smallBlockBytes < 0 || smallBlockBytes > segmentBytes || segmentBytes > 1 << 30) {
      throw new IllegalArgumentException("smallBlockBytes <= segmentBytes <= 1 GiB");
    }
    if (indexCacheBytes < 1 << 20 || compactionBytesPerSecond <= 0 || idleHours <= 0) {
      throw new IllegalArgumentException("too small");
    }
  }

  /** The defaults: small up to 1 MiB, segments of 64 MiB, index cache 8 MiB, 64 MiB/s, 24 h. */
  public static BlockStoreConfig of(List<Directory> directories, long l1Bytes, long bufferBytes) {
    return new BlockStoreConfig(
        directories, l1Bytes, bufferBytes, 1 << 20, 64 << 20, 8 << 20, 64 << 20, 24);
  }

  public static BlockStoreConfig of(Path directory, long capacityBytes, long l1Bytes) {
    return of(List.of(new Directory(directory, capacityBytes)), l1Bytes, 16 << 20);
  }
}
