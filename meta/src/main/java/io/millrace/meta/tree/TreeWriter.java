package io.millrace.meta.tree;

import io.millrace.core.api.Ino;
import io.millrace.meta.row.Counters;
import io.millrace.meta.row.EntryRow;
import io.millrace.meta.row.InodeRow;
import io.millrace.meta.row.InodeState;
import io.millrace.meta.row.Keys;
import io.millrace.meta.row.RowWriter;
import io.millrace.meta.store.RowBatch;
import io.millrace.proto.LinkRecord;
import io.millrace.proto.QuotaRecord;
import io.millrace.proto.TrashRecord;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Changes names and inodes in the batch. Owned by the journal's thread.
 *
 * <p>Within one command an inode number stands for one {@link InodeState} object, so that two roles
 * of one inode (old and new directory) can't overwrite each other.
 */
public final class TreeWriter extends TreeReader {
  private static final int TRASH_ABOVE_MAX = 1 << 12;

  private final RowBatch batch;
  private final int shard;
  private final RowWriter row = new RowWriter(256);
  private final Map<Long, InodeState> loaded = new HashMap<>();
  private final RemovedCookies removed;
  private Counters counters;
  private Trashes trashes;
  private final Map<Long, Long> trashAbove =
      new LinkedHashMap<>() {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Long, Long> eldest) {
          return size() > TRASH_ABOVE_MAX;
        }
      };

  public TreeWriter(
      RowBatch batch,
      int shard,
      Links links,
      Quotas quotas,
      Trashes trashes,
      Counters counters,
      RemovedCookies removed) {
    super(batch, links, quotas);
    this.trashes = trashes;
    this.removed = removed;
    this.batch = batch;
    this.shard = shard;
    this.counters = counters;
  }

  public RowBatch batch() {
    return batch;
  }

  public Counters counters() {
    return counters;
  }

  /** What a command works on: as it was before it, where it failed. */
  public void reset(
      Links linksBefore, Quotas quotasBefore, Trashes trashesBefore, Counters countersBefore) {
    trashes = trashesBefore;
    trashAbove.clear();
    links = linksBefore;
    quotas = quotasBefore;
    counters = countersBefore;
    loaded.clear();
  }

  public void beginCommand() {
    loaded.clear();
  }

  public void putLink(LinkRecord link) {
    links = links.with(link);
    loaded.clear();
  }

  public void removeLink(int id) {
    links = links.without(id);
    loaded.clear();
  }

  public void putQuota(QuotaRecord quota) {
    quotas = quotas.with(quota);
  }

  public void removeQuota(int id) {
    quotas = quotas.without(id);
  }

  public Trashes trashes() {
    return trashes;
  }

  public void putTrash(TrashRecord trash) {
    trashes = trashes.with(trash);
    trashAbove.clear();
  }

  public void removeTrash(long root) {
    trashes = trashes.without(root);
    trashAbove.clear();
  }

  /** What {@link TrashBin} found for directories used lately; cleared when a directory moves. */
  Map<Long, Long> trashAbove() {
    return trashAbove;
  }

  /** A directory moved: what lies above others may be another. */
  public void directoryMoved() {
    trashAbove.clear();
  }

  @Override
  public InodeState inode(long ino) {
    InodeState known = loaded.get(ino);
    if (known != null) {
      return known;
    }
    return remembered(super.inode(ino));
  }

  @Override
  public InodeState resolved(InodeState entry) {
    InodeState known = loaded.get(entry.ino);
    if (known == null) {
      return remembered(super.resolved(entry));
    }
    known.parent = entry.parent;
    known.name = entry.name;
    known.cookie = entry.cookie;
    return known;
  }

  private InodeState remembered(InodeState inode) {
    if (inode != null) {
      loaded.put(inode.ino, inode);
    }
    return inode;
  }

  /** Without a name yet: {@link #addName} follows. */
  public InodeState newInode(int mode, int uid, int gid, long now) {
    var inode = new InodeState();
    inode.ino = Ino.of(shard, ++counters.lastInode);
    counters.inodes++;
    inode.mode = mode;
    inode.uid = uid;
    inode.gid = gid;
    inode.mtime = now;
    inode.ctime = now;
    inode.atime = now;
    inode.standalone = inode.isDirectory();
    return inode;
  }

  /** Writes an inode back to where it lives. */
  public void save(InodeState inode) {
    if (inode.standalone) {
      batch.put(Keys.inode(inode.ino), InodeRow.standalone(inode));
    } else {
      batch.put(Keys.entry(inode.parent, inode.name), EntryRow.inline(inode, row));
    }
  }

  /** Names the inode in the directory, with a cookie of its own, and saves the inode. */
  public void addName(InodeState dir, byte[] name, InodeState inode) {
    inode.parent = dir.ino;
    inode.name = name;
    inode.cookie = dir.nextCookie++;
    dir.children++;
    if (inode.isDirectory()) {
      dir.subdirs++;
    }
    batch.put(Keys.cookie(dir.ino, inode.cookie), name);
    putEntry(inode);
  }

  /** Writes the entry by which the inode was found, or was just named, and the inode's own row. */
  public void putEntry(InodeState inode) {
    if (inode.standalone) {
      batch.put(Keys.entry(inode.parent, inode.name), EntryRow.reference(inode.cookie, inode.ino));
      if (!inode.isDirectory()) {
        batch.put(Keys.name(inode.ino, inode.parent, inode.name), InodeState.NONE);
      }
    } else {
      batch.put(Keys.inode(inode.ino), InodeRow.located(inode.parent, inode.name));
    }
    save(inode);
  }

  /** Takes away the name the inode was found by; the inode itself is the caller's. */
  public void removeName(InodeState dir, InodeState inode) {
    batch.delete(Keys.entry(dir.ino, inode.name));
    batch.delete(Keys.cookie(dir.ino, inode.cookie));
    removed.removed(dir.ino, inode.cookie, inode.name);
    dir.children--;
    if (inode.isDirectory()) {
      dir.subdirs--;
    } else if (inode.standalone) {
      batch.delete(Keys.name(inode.ino, dir.ino, inode.name));
    }
  }

  /** A file gets room for more than one name: its attributes move into the inode row (H4). */
  public void detach(InodeState file) {
    if (!file.standalone) {
      file.standalone = true;
      putEntry(file);
    }
  }

  /** Marks a directory as changed. */
  public void touch(InodeState dir, long now) {
    dir.mtime = now;
    dir.ctime = now;
    save(dir);
  }
}
