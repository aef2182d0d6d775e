package io.millrace.meta.tree;

import io.millrace.meta.row.InodeState;
import io.millrace.meta.row.Keys;
import io.millrace.meta.row.RowReader;
import io.millrace.meta.row.RowWriter;
import io.millrace.meta.store.RowBatch;
import io.millrace.meta.store.Rows;
import io.millrace.proto.QuotaRecord;
import io.millrace.proto.TrashRecord;
import java.util.Arrays;

/**
 * What happens to an inode that loses a name: it lives on under another, or as an orphan of who has
 * it open, or is freed and its content becomes garbage. Journal's thread only.
 */
public final class Removal {
  private static final int ORPHAN_FORMAT = 1;
  private static final int UNNAMED_FORMAT = 2;

  private final TreeWriter tree;
  private final ChangeQueue queue;
  private final ExtentWriter extents;
  private final QuotaLedger quota;
  private final TrashBin trash;

  public Removal(
      TreeWriter tree, ChangeQueue queue, ExtentWriter extents, QuotaLedger quota, TrashBin trash) {
    this.trash = trash;
    this.quota = quota;
    this.tree = tree;
    this.queue = queue;
    this.extents = extents;
  }

  /**
   * Takes a file's name away, its last to the trash where the directory has it on and no bucket has
   * the content. The directory is saved by the caller.
   */
  public void unlink(InodeState dir, InodeState file, boolean open, long session, long now) {
    TrashRecord bin =
        file.nlink == 1 && (file.link == 0 || file.stream == 0) ? trash.of(dir) : null;
    exportDelete(file, now);
    if (bin != null) {
      file.forgetLink();
      trash.take(bin, dir, file, now);
      return;
    }
    dropName(dir, file, open, session, now);
  }

  /** As {@link #unlink}, where the bucket is not to hear of it (S6, S27). */
  public void forget(InodeState dir, InodeState file, boolean open, long session, long now) {
    if (file.link != 0 && file.nlink == 1) {
      queue.drop(file);
      file.origin = file.object == null ? file.origin : tree.objectKey(file);
    }
    dropName(dir, file, open, session, now);
  }

  /** Takes the name away; what the bucket is to hear of it was settled before. */
  public void dropName(InodeState dir, InodeState file, boolean open, long session, long now) {
    tree.removeName(dir, file);
    file.nlink--;
    file.ctime = now;
    if (file.nlink > 0) {
      if (file.nlink == 1) {
        quota.oneNameLeft(file);
      }
      tree.save(file);
    } else if (open) {
      orphan(file, session);
    } else {
      free(file);
    }
  }

  /** Takes a name out of the trash for good; a file may still be open somewhere. */
  public void purge(InodeState dir, InodeState inode, long now) {
    if (inode.isDirectory()) {
      directory(dir, inode, now);
    } else {
      dropName(dir, inode, true, 0, now);
    }
  }

  private void exportDelete(InodeState file, long now) {
    if (file.link == 0) {
      return;
    }
    if (file.object == null) {
      if (file.nlink == 1) {
        queue.drop(file);
      }
      return;
    }
    byte[] key = file.nlink > 1 ? tree.targetKey(file) : tree.objectKey(file);
    if (file.nlink == 1) {
      queue.deleted(file, key, now);
      file.origin = key;
    } else if (Arrays.equals(key, tree.objectKey(file))) {
      file.origin = key;
      queue.name(file, now); // the object has to follow another name first
    } else {
      long own = file.changeSeq;
      file.changeSeq = 0;
      queue.deleted(file, key, now);
      file.changeSeq = own;
    }
  }

  /** A directory's name and rows go. It must be empty. */
  public void directory(InodeState parent, InodeState dir, long now) {
    if (dir.link != 0) {
      if (dir.origin.length > 0) {
        queue.unbury(dir.link, dir.origin);
      }
      if (dir.object != null) {
        queue.deleted(dir, tree.objectKey(dir), now);
      } else {
        queue.drop(dir);
      }
    }
    TrashRecord bin = dir.link == 0 && isOrdinary(dir) ? trash.of(parent) : null;
    if (bin != null) {
      trash.take(bin, parent, dir, now);
      return;
    }
    forgetTrash(dir);
    tree.removeName(parent, dir);
    dir.ctime = now;
    QuotaRecord own = tree.quotas().rootedAt(dir.quota, dir.ino);
    free(dir);
    if (own != null) {
      quota.remove(own);
    }
  }

  /** A quota, or the trash of its files, goes with a directory. */
  private boolean isOrdinary(InodeState dir) {
    return tree.quotas().rootedAt(dir.quota, dir.ino) == null
        && tree.trashes().get(dir.ino) == null;
  }

  /** What it has in the trash stays its time. */
  private void forgetTrash(InodeState dir) {
    TrashRecord own = tree.trashes().get(dir.ino);
    if (own != null) {
      trash.put(own.toBuilder().setOff(true).build());
    }
  }

  private void orphan(InodeState file, long session) {
    orphan(file, session, ORPHAN_FORMAT);
  }

  /** A new file that no directory names (O_TMPFILE): as if it had been unlinked at once. */
  public void unnamed(InodeState file, long session) {
    file.nlink = 0;
    orphan(file, session, UNNAMED_FORMAT);
  }

  /** Whether an orphan never had a name, so that it may get one. */
  public boolean isUnnamed(InodeState file) {
    byte[] row = file.orphan ? tree.batch().get(Keys.orphan(file.ino)) : null;
    return row != null && row[0] == UNNAMED_FORMAT;
  }

  /** An unnamed file is about to get a name in {@code dir}, which the caller adds. */
  public void named(InodeState file, InodeState dir) {
    tree.batch().delete(Keys.orphan(file.ino));
    file.orphan = false;
    file.link = dir.link;
  }

  private void orphan(InodeState file, long session, int format) {
    if (tree.trashes().home() != 0) {
      trash.forget(file);
    }
    file.standalone = true;
    file.orphan = true;
    file.parent = 0;
    file.name = InodeState.NONE;
    file.cookie = 0;
    tree.save(file);
    tree.batch().put(Keys.orphan(file.ino), new RowWriter(9).u8(format).u64(session).take());
  }

  private void free(InodeState inode) {
    quota.released(inode);
    if (tree.trashes().home() != 0) {
      trash.forget(inode);
    }
    RowBatch batch = tree.batch();
    if (inode.isRegular()) {
      extents.free(inode);
    }
    if (inode.isSymlink()) {
      batch.delete(Keys.target(inode.ino));
    }
    if (inode.hasXattrs) {
      byte[] prefix = Keys.xattrs(inode.ino);
      try (Rows.Cursor row = batch.scan(prefix, Keys.after(prefix))) {
        while (row.next()) {
          batch.delete(row.key());
        }
      }
    }
    batch.delete(Keys.inode(inode.ino));
    tree.counters().inodes--;
  }

  /** Frees an orphan; anything else is left alone. */
  public void reap(long ino) {
    byte[] key = Keys.orphan(ino);
    if (tree.batch().get(key) != null) {
      tree.batch().delete(key);
      free(tree.existing(ino));
    }
  }

  public static long orphanSession(byte[] value) {
    var row = new RowReader(value);
    row.format(ORPHAN_FORMAT, UNNAMED_FORMAT);
    return row.u64();
  }
}
