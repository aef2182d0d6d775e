package io.millrace.blocks;

import io.millrace.core.api.BlockId;
import io.millrace.core.api.BlockStore.Stored;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.rocksdb.RocksIterator;

/** Answers which blocks are here, from the indexes alone. Safe for many threads. */
final class BlockListing {
  private final List<DiskDirectory> directories;

  BlockListing(List<DiskDirectory> directories) {
    this.directories = directories;
  }

  List<BlockId> blocksOf(long ino, long version) {
    var found = new ArrayList<BlockId>();
    visit(ino, version, (id, row) -> found.add(id));
    return found.stream().sorted(Comparator.comparingInt(BlockId::index)).distinct().toList();
  }

  long bytesHere(long ino, long version) {
    long[] bytes = {0};
    visit(ino, version, (id, row) -> bytes[0] += row.length());
    return bytes[0];
  }

  /** 0: nothing is here. */
  int lastUsedHour(long ino, long version) {
    int[] last = {0};
    visit(ino, version, (id, row) -> last[0] = Math.max(last[0], row.usedHour()));
    return last[0];
  }

  /** Of each directory as many as are asked for: those that come first are among them. */
  List<Stored> list(BlockId first, int limit) {
    var found = new ArrayList<Stored>();
    byte[] start = IndexRow.key(first);
    for (DiskDirectory directory : directories) {
      int end = found.size() + limit;
      directory
          .index()
          .scan(
              start,
              (key, value) -> {
                if (found.size() == end) {
                  return false;
                }
                IndexRow row = IndexRow.decode(value);
                found.add(new Stored(IndexRow.id(key), row.kind(), row.length()));
                return true;
              });
    }
    return found.stream()
        .sorted((a, b) -> Arrays.compareUnsigned(IndexRow.key(a.id()), IndexRow.key(b.id())))
        .limit(limit)
        .toList();
  }

  /** All blocks in key order; directories are merged. */
  void forEach(Consumer<BlockId> consumer) {
    var cursors =
        new PriorityQueue<RocksIterator>(
            Math.max(1, directories.size()),
            (one, other) -> Arrays.compareUnsigned(one.key(), other.key()));
    var opened = new ArrayList<RocksIterator>();
    directories.forEach(directory -> directory.stage().flush());
    try {
      for (DiskDirectory directory : directories) {
        RocksIterator cursor = directory.index().cursor();
        opened.add(cursor);
        if (cursor.isValid()) {
          cursors.add(cursor);
        }
      }
      while (!cursors.isEmpty()) {
        RocksIterator first = cursors.poll();
        consumer.accept(IndexRow.id(first.key()));
        first.next();
        if (first.isValid()) {
          cursors.add(first);
        }
      }
    } finally {
      opened.forEach(RocksIterator::close);
    }
  }

  /**
   * @param version 0: any
   */
  private void visit(long ino, long version, BiConsumer<BlockId, IndexRow> visitor) {
    for (DiskDirectory directory : directories) {
      // first what is on its way: what arrives meanwhile is seen in the index, and only once
      Map<BlockId, IndexRow> staged = new HashMap<>(directory.stage().of(ino, version));
      directory
          .index()
          .scan(
              IndexRow.key(ino, version, 0),
              (key, value) -> {
                BlockId id = IndexRow.id(key);
                if (id.ino() != ino || (version != 0 && id.version() != version)) {
                  return false;
                }
                staged.remove(id);
                visitor.accept(id, IndexRow.decode(value));
                return true;
              });
      staged.forEach(visitor);
    }
  }
}
