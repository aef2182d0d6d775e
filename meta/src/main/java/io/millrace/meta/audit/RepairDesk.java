package io.millrace.meta.audit;

import io.millrace.meta.row.Counters;
import io.millrace.meta.row.InodeState;
import io.millrace.meta.row.Keys;
import io.millrace.meta.row.Mode;
import io.millrace.meta.store.RocksStore;
import io.millrace.meta.store.RowBatch;
import io.millrace.meta.tree.Links;
import io.millrace.meta.tree.Quotas;
import io.millrace.meta.tree.RemovedCookies;
import io.millrace.meta.tree.Trashes;
import io.millrace.meta.tree.TreeWriter;
import java.nio.charset.StandardCharsets;

/**
 * Changes rows of a namespace that no node runs on. Each repair is one synced batch; the next sees
 * it. One thread.
 */
public final class RepairDesk {
  private static final byte[] LOST_AND_FOUND = "lost+found".getBytes(StandardCharsets.US_ASCII);
  private static final int LOST_AND_FOUND_MODE = Mode.DIRECTORY | 0700;
  private static final long ROOT = io.millrace.core.api.Ino.ROOT;

  private final RocksStore store;
  private final RowBatch batch;
  private final TreeWriter tree;

  RepairDesk(RocksStore store) {
    this.store = store;
    batch = new RowBatch(store);
    tree =
        new TreeWriter(
            batch,
            0,
            Links.load(store),
            Quotas.load(store),
            Trashes.load(store),
            Counters.decode(store.get(Keys.counters())),
            new RemovedCookies());
  }

  void run(Finding.Repair repair) {
    tree.beginCommand();
    repair.run(this);
    batch.put(Keys.counters(), tree.counters().encode());
    store.write(batch.serialized(), true);
    batch.clear();
  }

  RowBatch batch() {
    return batch;
  }

  TreeWriter tree() {
    return tree;
  }

  Counters counters() {
    return tree.counters();
  }

  /** Gives a name in /lost+found to an inode that has none. */
  void reattach(InodeState inode) {
    InodeState root = tree.directory(ROOT);
    InodeState found = tree.lookup(ROOT, LOST_AND_FOUND);
    if (found == null) {
      found = tree.newInode(LOST_AND_FOUND_MODE, 0, 0, root.ctime);
      tree.addName(root, LOST_AND_FOUND, found);
      tree.save(root);
    }
    byte[] name = ("#" + Long.toHexString(inode.ino)).getBytes(StandardCharsets.US_ASCII);
    tree.addName(found, name, inode);
    tree.save(found);
  }
}
