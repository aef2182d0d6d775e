package io.millrace.meta.store;

import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.BloomFilter;
import org.rocksdb.Cache;
import org.rocksdb.CompressionType;
import org.rocksdb.IndexType;
import org.rocksdb.InfoLogLevel;
import org.rocksdb.LRUCache;
import org.rocksdb.Options;
import org.rocksdb.RocksDB;
import org.rocksdb.WALRecoveryMode;
import org.rocksdb.WriteBufferManager;

/**
 * Settings of RocksDB and the native objects they need. Memory must not grow with the number of
 * files (H29): index and filters are partitioned and live in the one strict cache, memtables have a
 * fixed budget, open tables are limited.
 */
final class RocksResources implements AutoCloseable {
  private static final int MEMTABLES = 4;
  private static final int OPEN_FILES_MAX = 512;
  private static final int BLOCK_BYTES = 16 << 10;
  private static final long WAL_BYTES_MAX = 128L << 20;
  private static final long TABLE_BYTES = 64L << 20;
  private static final double FILTER_BITS_PER_KEY = 10;

  static {
    RocksDB.loadLibrary();
  }

  private final Cache cache;
  private final Cache memtables;
  private final WriteBufferManager budget;
  private final BloomFilter filter = new BloomFilter(FILTER_BITS_PER_KEY);
  private final Options options;

  RocksResources(StoreConfig config) {
    cache = new LRUCache(config.blockCacheBytes(), 2, true, 0.3);
    memtables = new LRUCache(config.writeBufferBytes(), 0, false);
    budget = new WriteBufferManager(config.writeBufferBytes(), memtables);
    options =
        new Options()
            .setCreateIfMissing(true)
            .setTableFormatConfig(tables())
            .setWriteBufferManager(budget)
            .setWriteBufferSize(config.writeBufferBytes() / MEMTABLES)
            .setMaxWriteBufferNumber(MEMTABLES)
            .setMaxTotalWalSize(WAL_BYTES_MAX)
            .setWalRecoveryMode(WALRecoveryMode.PointInTimeRecovery)
            .setAllowConcurrentMemtableWrite(false)
            .setMaxOpenFiles(OPEN_FILES_MAX)
            .setMaxBackgroundJobs(2)
            .setLevelCompactionDynamicLevelBytes(true)
            .setTargetFileSizeBase(TABLE_BYTES)
            .setCompressionType(CompressionType.LZ4_COMPRESSION)
            .setBottommostCompressionType(CompressionType.ZSTD_COMPRESSION)
            .setBytesPerSync(1 << 20)
            .setInfoLogLevel(InfoLogLevel.WARN_LEVEL)
            .setMaxLogFileSize(1 << 20)
            .setKeepLogFileNum(2)
            .setStatsDumpPeriodSec(0);
  }

  private BlockBasedTableConfig tables() {
    return new BlockBasedTableConfig()
        .setFormatVersion(5)
        .setBlockSize(BLOCK_BYTES)
        .setBlockCache(cache)
        .setIndexType(IndexType.kTwoLevelIndexSearch)
        .setPartitionFilters(true)
        .setFilterPolicy(filter)
        .setMetadataBlockSize(4096)
        .setCacheIndexAndFilterBlocks(true)
        .setCacheIndexAndFilterBlocksWithHighPriority(true)
        .setPinTopLevelIndexAndFilter(false)
        .setPinL0FilterAndIndexBlocksInCache(false);
  }

  Options options() {
    return options;
  }

  @Override
  public void close() {
    options.close();
    filter.close();
    budget.close();
    memtables.close();
    cache.close();
  }
}
