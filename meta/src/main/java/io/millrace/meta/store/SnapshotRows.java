package io.millrace.meta.store;

import java.util.Map;
import org.rocksdb.ReadOptions;
import org.rocksdb.Snapshot;

/** All rows as they were at one moment. Owned by one thread, which closes it soon. */
public final class SnapshotRows implements Rows, AutoCloseable {
  private final RocksStore store;
  private final Snapshot snapshot;
  private final ReadOptions options;

  SnapshotRows(RocksStore store) {
    this.store = store;
    store.enter();
    snapshot = store.db().getSnapshot();
    options = new ReadOptions().setSnapshot(snapshot);
  }

  @Override
  public byte[] get(byte[] key) {
    return store.get(options, key);
  }

  @Override
  public Cursor scan(byte[] start, byte[] end) {
    return new RocksCursor(store, snapshot, start, end);
  }

  @Override
  public Map.Entry<byte[], byte[]> floor(byte[] lowest, byte[] highest) {
    return store.floor(options, lowest, highest);
  }

  @Override
  public void close() {
    options.close();
    store.db().releaseSnapshot(snapshot);
    store.leave();
  }
}
