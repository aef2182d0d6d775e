package io.millrace.blocks;

import io.millrace.core.api.BlockId;
import io.millrace.core.cache.FrequencySketch;
import java.util.Comparator;
import java.util.List;

/**
 * Which directory a block goes to and is looked for: weighted rendezvous hashing by capacity, so
 * that a directory more or less moves the preference of few blocks. A block that found no room in
 * its first directory lies in another one: all are looked at, first choice first.
 */
final class Placement {

  /** Where a block is. */
  record Found(DiskDirectory directory, IndexRow row) {}

  private final List<DiskDirectory> directories;

  Placement(List<DiskDirectory> directories) {
    this.directories = List.copyOf(directories);
  }

  List<DiskDirectory> all() {
    return directories;
  }

  /** Directories in order of preference. */
  List<DiskDirectory> order(BlockId id) {
    if (directories.size() == 1) {
      return directories;
    }
    long hash = FrequencySketch.hash(id.ino(), id.version(), id.index());
    return directories.stream()
        .sorted(Comparator.comparingDouble(directory -> distance(directory, hash)))
        .toList();
  }

  /** The block's row and directory, or null. */
  Found find(BlockId id) {
    for (DiskDirectory directory : order(id)) {
      IndexRow row = directory.row(id);
      if (row != null) {
        return new Found(directory, row);
      }
    }
    return null;
  }

  private static double distance(DiskDirectory directory, long hash) {
    long mixed = FrequencySketch.hash(hash, directory.path().toString().hashCode(), 0);
    double chance = ((mixed >>> 11) + 1) * 0x1.0p-53;
    return -Math.log(chance) / directory.space().capacityBytes();
  }
}
