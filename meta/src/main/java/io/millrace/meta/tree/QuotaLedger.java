package io.millrace.meta.tree;

import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.meta.row.InodeState;
import io.millrace.meta.row.Keys;
import io.millrace.meta.row.MessageRow;
import io.millrace.meta.row.QuotaCount;
import io.millrace.meta.store.RowBatch;
import io.millrace.proto.QuotaRecord;

/**
 * Counts what quotas limit, in the command that changes it. Journal's thread only.
 *
 * <p>Invariant: after each command a quota counts exactly the inodes that carry its id, or the id
 * of one below it, its own root not among them. An inode counts from its making to its freeing:
 * files that are open and have no name too.
 */
public final class QuotaLedger {
  private final TreeWriter tree;

  public QuotaLedger(TreeWriter tree) {
    this.tree = tree;
  }

  /** The quota an inode counts in itself; 0 for none. */
  public int holder(InodeState inode) {
    if (inode.quota == 0) {
      return 0;
    }
    boolean isRoot = inode.isDirectory() && tree.quotas().rootedAt(inode.quota, inode.ino) != null;
    return isRoot ? tree.quotas().above(inode.quota) : inode.quota;
  }

  /**
   * A new inode counts where its directory's entries do.
   *
   * @throws FsException EDQUOT
   */
  public void made(InodeState inode, InodeState dir) {
    inode.quota = dir.quota;
    charge(inode.quota, inode.size, 1, true);
  }

  /**
   * The size changed.
   *
   * @throws FsException EDQUOT
   */
  public void resized(InodeState file, long sizeBefore) {
    charge(file.quota, file.size - sizeBefore, 0, true);
  }

  /** An inode is freed, or counts no more from now on. */
  public void released(InodeState inode) {
    charge(holder(inode), -inode.size, -1, false);
    inode.quota = 0;
  }

  /**
   * A file that had no name gets its first. The caller saves it.
   *
   * @throws FsException EDQUOT
   */
  public void named(InodeState file, InodeState dir) {
    if (file.quota != dir.quota) {
      released(file);
      made(file, dir);
    }
  }

  /**
   * A file that had names inside and outside of a quota when that was set counts where its last one
   * is. No limit applies: it is there. The caller saves it.
   */
  void oneNameLeft(InodeState file) {
    if (tree.quotas().byId().isEmpty()) {
      return;
    }
    int right = tree.directory(tree.names(file.ino).getFirst().dir()).quota;
    if (right != file.quota) {
      released(file);
      charge(right, file.size, 1, false);
      file.quota = right;
    }
  }

  /**
   * Refuses to bring an inode from one quota to another, as XFS does for its projects (H23).
   *
   * @throws FsException EXDEV
   */
  public void checkSame(int from, int to) {
    if (from != to) {
      throw new FsException(Errno.EXDEV, "across the border of a quota", "from", from, "to", to);
    }
  }

  /** Whether the inode was there before the quota, which has not got to it yet. */
  public boolean awaitsCount(InodeState inode, InodeState dir) {
    QuotaRecord quota = tree.quotas().get(dir.quota);
    return quota != null && quota.getCounting() && holder(inode) != dir.quota;
  }

  /**
   * Counts an inode that was there before the quota; what lies below a directory follows later. No
   * limit applies: it is there. Saves the inode.
   */
  public void adopt(InodeState inode, QuotaRecord quota) {
    int id = quota.getId();
    int before = holder(inode);
    boolean elsewhere =
        inode.nlink > 1 && before != tree.quotas().above(id) && !inode.isDirectory();
    if (before == id || elsewhere || inode.ino == tree.trashes().home()) {
      return; // the trash counts nowhere; a file with names in two trees counts where it was
      // counted first
    }
    QuotaRecord own = inode.isDirectory() ? tree.quotas().rootedAt(inode.quota, inode.ino) : null;
    charge(before, -inode.size, -1, false);
    charge(id, inode.size, 1, false);
    if (own != null) {
      QuotaCount all = count(own.getId());
      charge(before, -all.bytes(), -all.files(), false);
      charge(id, all.bytes(), all.files(), false);
      put(own.toBuilder().setParent(id).build());
      return;
    }
    inode.quota = id;
    tree.save(inode);
    if (inode.isDirectory() && inode.children > 0) {
      lookAt(tree.batch(), id, inode.ino);
    }
  }

  /** The entries of a directory are to be counted. */
  public static void lookAt(RowBatch batch, int quota, long dir) {
    batch.put(Keys.quotaWork(quota, dir), QuotaWork.START);
  }

  public QuotaCount count(int id) {
    return QuotaCount.decode(tree.batch().get(Keys.quotaUsage(id)));
  }

  /** Whether so much more may count in a quota. */
  public boolean fits(int quota, long bytes, long files) {
    for (int at = quota; at != 0; at = tree.quotas().above(at)) {
      if (refusal(tree.quotas().get(at), count(at), bytes, files) != null) {
        return false;
      }
    }
    return true;
  }

  /** Bytes that may still be added, by the quota and those around it; -1: no limit. */
  public long room(int quota) {
    return room(tree, quota);
  }

  /** As {@link #room(int)}, for readers. */
  public static long room(TreeReader tree, int quota) {
    long room = -1;
    for (int at = tree.quotas().live(quota); at != 0; at = tree.quotas().above(at)) {
      long limit = tree.quotas().get(at).getBytesLimit();
      if (limit != 0) {
        QuotaCount count = QuotaCount.decode(tree.rows().get(Keys.quotaUsage(at)));
        long left = count.bytes() < 0 ? 0 : Math.max(0, limit - count.bytes());
        room = room < 0 ? left : Math.min(room, left);
      }
    }
    return room;
  }

  public void put(QuotaRecord quota) {
    tree.batch().put(Keys.quota(quota.getId()), MessageRow.encode(quota));
    tree.putQuota(quota);
  }

  /**
   * What counted in it counts in the one around it alone, which also goes on with a count that was
   * not done: its own passed this quota by.
   */
  public void remove(QuotaRecord quota) {
    int id = quota.getId();
    int above = tree.quotas().above(id);
    if (above == 0) {
      tree.quotas().uncounted(id).forEach(this::counted);
      counted(quota);
      tree.batch().delete(Keys.quota(id));
      tree.removeQuota(id);
    } else {
      put(
          QuotaRecord.newBuilder()
              .setId(id)
              .setRoot(quota.getRoot())
              .setParent(above)
              .setRemoved(true)
              .setCounting(quota.getCounting())
              .build());
      if (quota.getCounting()) {
        put(tree.quotas().get(above).toBuilder().setCounting(true).build());
      }
    }
    tree.batch().delete(Keys.quotaUsage(id));
  }

  /** Nothing that was there before the quota is left to be counted, or nobody asks any more. */
  public void counted(QuotaRecord quota) {
    byte[] work = Keys.quotaWork(quota.getId());
    tree.batch().deleteForEver(work, Keys.after(work));
    put(quota.toBuilder().setCounting(false).build());
  }

  private void charge(int quota, long bytes, long files, boolean limited) {
    if (bytes == 0 && files == 0) {
      return;
    }
    for (int at = quota; at != 0; at = tree.quotas().above(at)) {
      QuotaCount count = count(at);
      FsException refusal = limited ? refusal(tree.quotas().get(at), count, bytes, files) : null;
      if (refusal != null) {
        throw refusal;
      }
      tree.batch().put(Keys.quotaUsage(at), count.plus(bytes, files).encode());
    }
  }

  /** Null where it fits. Sizes near 2^63 may make a sum negative: that is over any limit. */
  private static FsException refusal(QuotaRecord quota, QuotaCount count, long bytes, long files) {
    long limit = quota.getBytesLimit();
    if (bytes > 0 && limit != 0 && (count.bytes() < 0 || bytes > limit - count.bytes())) {
      return new FsException(
          Errno.EDQUOT, "quota of bytes", "root", quota.getRoot(), "limit", limit);
    }
    long filesLimit = quota.getFilesLimit();
    if (files > 0 && filesLimit != 0 && files > filesLimit - count.files()) {
      return new FsException(
          Errno.EDQUOT, "quota of files", "root", quota.getRoot(), "limit", filesLimit);
    }
    return null;
  }
}
