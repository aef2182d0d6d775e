package io.millrace.blocks;

import io.millrace.core.api.BlockId;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.BloomFilter;
import org.rocksdb.Cache;
import org.rocksdb.ColumnFamilyDescriptor;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.ColumnFamilyOptions;
import org.rocksdb.CompressionType;
import org.rocksdb.DBOptions;
import org.rocksdb.IndexType;
import org.rocksdb.InfoLogLevel;
import org.rocksdb.LRUCache;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;
import org.rocksdb.RocksObject;
import org.rocksdb.Status;
import org.rocksdb.UInt64AddOperator;
import org.rocksdb.WriteBufferManager;
import org.rocksdb.WriteOptions;

/**
 * The index of one directory, in RocksDB: rows of blocks, and beside them the counters that opening
 * needs (so that it reads no block row). Everything one block's change touches goes in one {@link
 * IndexBatch}, so counters and rows never differ. Writes reach the operating system at once and the
 * disk at {@link #syncLog}; after a power loss it is as it was at some moment after the last one.
 *
 * <p>Safe for many threads. Memory is bounded by the configured cache, whatever the number of
 * blocks.
 */
final class BlockIndex implements AutoCloseable {
  static final String DAMAGED = "index.damaged";
  private static final long WRITE_BUFFER_BYTES = 2 << 20;
  private static final double HIGH_PRIORITY_SHARE = 0.5;

  private final Path directory;
  private final List<RocksObject> owned = new ArrayList<>();
  private final RocksDB db;
  private final ColumnFamilyHandle rows;
  private final ColumnFamilyHandle state;
  private final WriteOptions unsynced;

  /** Also what a process killed before this one wrote. */
  private volatile boolean logChanged = true;

  /**
   * @param directory of the store; the index lies in {@code index} below it
   * @throws IndexDamage it can't be opened
   */
  BlockIndex(Path directory, long cacheBytes) {
    this.directory = directory;
    RocksDB.loadLibrary();
    // one shard: a strict limit on small shards would fail reads while write buffers fill one
    Cache cache = own(new LRUCache(cacheBytes, 0, true, HIGH_PRIORITY_SHARE));
    unsynced = own(new WriteOptions());
    var families =
        List.of(
            new ColumnFamilyDescriptor(RocksDB.DEFAULT_COLUMN_FAMILY, familyOptions(cache)),
            new ColumnFamilyDescriptor(
                "state".getBytes(StandardCharsets.US_ASCII),
                familyOptions(cache).setMergeOperator(own(new UInt64AddOperator()))));
    var handles = new ArrayList<ColumnFamilyHandle>();
    try {
      Files.createDirectories(directory.resolve("index"));
      DBOptions options = databaseOptions(cache, cacheBytes);
      db = RocksDB.open(options, directory.resolve("index").toString(), families, handles);
    } catch (RocksDBException failure) {
      closeOwned();
      if (noSpace(failure)) {
        throw new FsException(failure, Errno.ENOSPC, "disk full", "path", directory);
      }
      throw new IndexDamage("block index can't be opened: " + directory, failure);
    } catch (IOException failure) {
      closeOwned();
      throw new FsException(failure, Errno.EIO, "can't make directory", "path", directory);
    }
    rows = own(handles.get(0));
    state = own(handles.get(1));
  }

  /** The row, or null. */
  IndexRow get(BlockId id) {
    try {
      byte[] value = db.get(rows, IndexRow.key(id));
      return value == null ? null : IndexRow.decode(value);
    } catch (RocksDBException failure) {
      throw failed(failure);
    }
  }

  void write(IndexBatch batch) {
    try (batch) {
      db.write(unsynced, batch.writes());
    } catch (RocksDBException failure) {
      throw failed(failure);
    } finally {
      logChanged = true;
    }
  }

  IndexBatch batch() {
    return new IndexBatch(rows, state);
  }

  /** Rows from {@code key} on, in order, until the visitor says stop or all are seen. */
  void scan(byte[] key, Visitor visitor) {
    try (RocksIterator at = db.newIterator(rows)) {
      for (at.seek(key); at.isValid(); at.next()) {
        if (!visitor.visit(at.key(), at.value())) {
          return;
        }
      }
      at.status();
    } catch (RocksDBException failure) {
      throw failed(failure);
    }
  }

  /** A cursor over all rows; the caller closes it. */
  RocksIterator cursor() {
    RocksIterator cursor = db.newIterator(rows);
    cursor.seekToFirst();
    return cursor;
  }

  long number(byte[] stateKey) {
    try {
      byte[] value = db.get(state, stateKey);
      return value == null ? 0 : ByteBuffer.wrap(value).order(ByteOrder.LITTLE_ENDIAN).getLong();
    } catch (RocksDBException failure) {
      throw failed(failure);
    }
  }

  /** Numbers of files that an interrupted write or delete may have left. */
  List<Long> unsettledFiles() {
    var found = new ArrayList<Long>();
    try (RocksIterator at = db.newIterator(state)) {
      byte[] from = IndexBatch.unsettled(0);
      for (at.seek(from); at.isValid() && at.key()[0] == from[0]; at.next()) {
        found.add(ByteBuffer.wrap(at.key(), 1, Long.BYTES).getLong());
      }
      at.status();
    } catch (RocksDBException failure) {
      throw failed(failure);
    }
    return found;
  }

  /** One caller at a time. Nothing where nothing was written since the last one. */
  void syncLog() {
    if (!logChanged) {
      return;
    }
    logChanged = false;
    boolean done = false;
    try {
      db.flushWal(true);
      done = true;
    } catch (RocksDBException failure) {
      throw failed(failure);
    } finally {
      logChanged |= !done;
    }
  }

  /** Bytes of the index on disk, without its log. */
  long diskBytes() {
    try {
      return db.getLongProperty(rows, "rocksdb.total-sst-files-size")
          + db.getLongProperty(state, "rocksdb.total-sst-files-size");
    } catch (RocksDBException failure) {
      throw failed(failure);
    }
  }

  @Override
  public void close() {
    closeOwned(rows, state);
  }

  private void closeOwned(ColumnFamilyHandle... first) {
    for (ColumnFamilyHandle handle : first) {
      handle.close();
      owned.remove(handle);
    }
    if (first.length > 0) {
      db.close();
    }
    owned.reversed().forEach(RocksObject::close);
    owned.clear();
  }

  private <T extends RocksObject> T own(T object) {
    owned.add(object);
    return object;
  }

  private ColumnFamilyOptions familyOptions(Cache cache) {
    return own(new ColumnFamilyOptions())
        .setWriteBufferSize(WRITE_BUFFER_BYTES)
        .setCompressionType(CompressionType.LZ4_COMPRESSION)
        .setTableFormatConfig(
            new BlockBasedTableConfig()
                .setBlockCache(cache)
                .setFilterPolicy(own(new BloomFilter(10)))
                .setIndexType(IndexType.kTwoLevelIndexSearch)
                .setPartitionFilters(true)
                .setCacheIndexAndFilterBlocks(true)
                .setFormatVersion(5));
  }

  private DBOptions databaseOptions(Cache cache, long cacheBytes) {
    return own(new DBOptions())
        .setCreateIfMissing(true)
        .setCreateMissingColumnFamilies(true)
        .setMaxOpenFiles(64)
        .setMaxTotalWalSize(8 << 20)
        .setKeepLogFileNum(2)
        .setMaxLogFileSize(1 << 20)
        .setMaxManifestFileSize(4 << 20)
        .setInfoLogLevel(InfoLogLevel.ERROR_LEVEL)
        .setWriteBufferManager(own(new WriteBufferManager(cacheBytes / 2, cache)));
  }

  private FsException failed(RocksDBException failure) {
    if (noSpace(failure)) {
      return new FsException(failure, Errno.ENOSPC, "disk full", "path", directory);
    }
    if (damaged(failure)) {
      markDamaged();
    }
    return new FsException(
        failure, Errno.EIO, "block index failed; a restart rebuilds it", "path", directory);
  }

  private void markDamaged() {
    try {
      Files.write(directory.resolve(DAMAGED), new byte[0]);
    } catch (IOException ignored) {
      // the next start will meet the damage again and then rebuild
    }
  }

  private static boolean damaged(RocksDBException failure) {
    return failure.getStatus() != null && failure.getStatus().getCode() == Status.Code.Corruption;
  }

  private static boolean noSpace(RocksDBException failure) {
    return failure.getStatus() != null
        && failure.getStatus().getSubCode() == Status.SubCode.NoSpace;
  }

  /** Sees one row; false ends the scan. */
  interface Visitor {
    boolean visit(byte[] key, byte[] value);
  }
}
