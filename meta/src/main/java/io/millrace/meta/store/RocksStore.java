package io.millrace.meta.store;

import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.rocksdb.Checkpoint;
import org.rocksdb.Options;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;
import org.rocksdb.Status;
import org.rocksdb.WriteBatch;
import org.rocksdb.WriteOptions;

/**
 * The RocksDB of one shard. Reads by many threads, writes by the journal's. A read that comes after
 * {@link #close} fails with ENOTCONN instead of crashing the process.
 */
public final class RocksStore implements Rows, AutoCloseable {
  private final RocksResources resources;
  private final RocksDB db;
  private final ReadOptions read;
  private final WriteOptions unsynced;
  private final WriteOptions synced;
  private final ReadWriteLock gate = new ReentrantReadWriteLock();
  private boolean closed;

  /**
   * @throws FsException EBUSY another process has it open; EIO otherwise
   */
  public RocksStore(StoreConfig config) {
    resources = new RocksResources(config);
    try {
      db = open(resources.options(), config.directory());
    } catch (FsException e) {
      resources.close();
      throw e;
    }
    read = new ReadOptions();
    unsynced = new WriteOptions();
    synced = new WriteOptions().setSync(true);
  }

  private static RocksDB open(Options options, Path directory) {
    try {
      Files.createDirectories(directory);
      return RocksDB.open(options, directory.toString());
    } catch (RocksDBException e) {
      boolean locked = e.getMessage() != null && e.getMessage().contains("LOCK");
      throw new FsException(
          e,
          locked ? Errno.EBUSY : Errno.EIO,
          locked ? "namespace is open in another process" : "namespace can't be opened",
          "directory",
          directory);
    } catch (IOException e) {
      throw new FsException(
          e, Errno.EIO, "namespace directory can't be made", "directory", directory);
    }
  }

  @Override
  public byte[] get(byte[] key) {
    return get(read, key);
  }

  byte[] get(ReadOptions options, byte[] key) {
    enter();
    try {
      return db.get(options, key);
    } catch (RocksDBException e) {
      throw failure(e, "namespace read failed");
    } finally {
      leave();
    }
  }

  @Override
  public Cursor scan(byte[] start, byte[] end) {
    return new RocksCursor(this, null, start, end);
  }

  @Override
  public Map.Entry<byte[], byte[]> floor(byte[] lowest, byte[] highest) {
    return floor(read, lowest, highest);
  }

  Map.Entry<byte[], byte[]> floor(ReadOptions options, byte[] lowest, byte[] highest) {
    enter();
    try (RocksIterator rows = db.newIterator(options)) {
      rows.seekForPrev(highest);
      if (!rows.isValid()) {
        rows.status();
        return null;
      }
      byte[] key = rows.key();
      return KeyOrder.INSTANCE.compare(key, lowest) < 0 ? null : Map.entry(key, rows.value());
    } catch (RocksDBException e) {
      throw failure(e, "namespace read failed");
    } finally {
      leave();
    }
  }

  /** All rows as they are now, for several reads that must agree. */
  public SnapshotRows snapshot() {
    return new SnapshotRows(this);
  }

  RocksDB db() {
    return db;
  }

  /**
   * Writes a serialized batch at once.
   *
   * @throws FsException ENOSPC, EIO: nothing of it may be taken as written
   */
  public void write(byte[] batch, boolean sync) {
    enter();
    try (var rows = new WriteBatch(batch)) {
      db.write(sync ? synced : unsynced, rows);
    } catch (RocksDBException e) {
      throw failure(e, "namespace write failed");
    } finally {
      leave();
    }
  }

  /** On return all that was written before survives power loss. */
  public void sync() {
    enter();
    try {
      db.syncWal();
    } catch (RocksDBException e) {
      throw failure(e, "namespace sync failed");
    } finally {
      leave();
    }
  }

  /** A copy of the store as it is now, of hard links where the file system can. */
  public void checkpoint(Path directory) {
    enter();
    try (Checkpoint checkpoint = Checkpoint.create(db)) {
      checkpoint.createCheckpoint(directory.toString());
    } catch (RocksDBException e) {
      throw failure(e, "namespace checkpoint failed");
    } finally {
      leave();
    }
  }

  /** Writes memtables out and merges all levels: for measuring and for tests. */
  public void compact() {
    enter();
    try {
      db.compactRange();
    } catch (RocksDBException e) {
      throw failure(e, "namespace compaction failed");
    } finally {
      leave();
    }
  }

  /** A RocksDB property, such as rocksdb.total-sst-files-size; 0 where it has none. */
  public long property(String name) {
    enter();
    try {
      return db.getLongProperty(name);
    } catch (RocksDBException e) {
      throw failure(e, "namespace property failed");
    } finally {
      leave();
    }
  }

  /** Keeps the store open until {@link #leave}. */
  void enter() {
    gate.readLock().lock();
    if (closed) {
      gate.readLock().unlock();
      throw new FsException(Errno.ENOTCONN, "namespace is closed");
    }
  }

  void leave() {
    gate.readLock().unlock();
  }

  static FsException failure(RocksDBException e, String message) {
    Status status = e.getStatus();
    boolean full = status != null && status.getSubCode() == Status.SubCode.NoSpace;
    return new FsException(
        e, full ? Errno.ENOSPC : Errno.EIO, message, "cause", String.valueOf(e.getMessage()));
  }

  @Override
  public void close() {
    gate.writeLock().lock();
    try {
      if (closed) {
        return;
      }
      closed = true;
      db.close();
      read.close();
      unsynced.close();
      synced.close();
      resources.close();
    } finally {
      gate.writeLock().unlock();
    }
  }
}
