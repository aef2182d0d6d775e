package io.millrace.meta.store;

import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;
import org.rocksdb.Slice;
import org.rocksdb.Snapshot;

/**
 * A scan of written rows: a consistent view by itself, as an iterator holds the state it was made
 * on. Keeps the store open until closed; owned by one thread.
 */
final class RocksCursor implements Rows.Cursor {
  private final RocksStore store;
  private final Slice upperBound;
  private final ReadOptions options;
  private final RocksIterator rows;
  private boolean started;

  RocksCursor(RocksStore store, Snapshot snapshot, byte[] start, byte[] end) {
    this.store = store;
    store.enter();
    upperBound = new Slice(end);
    options = new ReadOptions().setIterateUpperBound(upperBound);
    if (snapshot != null) {
      options.setSnapshot(snapshot);
    }
    rows = store.db().newIterator(options);
    rows.seek(start);
  }

  @Override
  public boolean next() {
    if (started) {
      rows.next();
    }
    started = true;
    if (rows.isValid()) {
      return true;
    }
    try {
      rows.status();
    } catch (RocksDBException e) {
      throw RocksStore.failure(e, "namespace scan failed");
    }
    return false;
  }

  @Override
  public byte[] key() {
    return rows.key();
  }

  @Override
  public byte[] value() {
    return rows.value();
  }

  @Override
  public void close() {
    rows.close();
    options.close();
    upperBound.close();
    store.leave();
  }
}
