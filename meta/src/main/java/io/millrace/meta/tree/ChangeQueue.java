package io.millrace.meta.tree;

import com.google.protobuf.ByteString;
import io.millrace.meta.row.ChangeRow;
import io.millrace.meta.row.InodeState;
import io.millrace.meta.row.Keys;
import io.millrace.meta.row.LinkCounts;
import io.millrace.meta.row.RowReader;
import io.millrace.meta.row.RowWriter;
import io.millrace.meta.store.RowBatch;
import io.millrace.proto.Change;
import io.millrace.proto.ChangeKind;
import io.millrace.proto.ContentClass;

/**
 * The queues of changes that links have to export, and the tombstones that keep imports from
 * undoing them (S8, H3). An inode has one row at most, its number kept in the inode; a further
 * change moves it to the end and keeps the time of the first. Journal's thread only; the caller
 * saves the inode.
 */
public final class ChangeQueue {
  private static final int TOMBSTONE_FORMAT = 1;

  private final RowBatch batch;

  public ChangeQueue(TreeWriter tree) {

    this.batch = tree.batch();
  }

  /** The content changed: dirty until exported. */
  public void content(InodeState inode, long now) {
    if (inode.isExportable()) {
      inode.contentClass = ContentClass.DIRTY;
      replace(inode, ChangeKind.CHANGE_CONTENT, ByteString.EMPTY, now);
    }
  }

  /** The name changed: the object has to follow. */
  public void name(InodeState inode, long now) {
    if (inode.isExportable()) {
      replace(inode, ChangeKind.CHANGE_CONTENT, ByteString.EMPTY, now);
    }
  }

  /**
   * Mode, owner or times changed. A change of content in the queue says more but moves to the end
   * too: its export may run already and carry the attributes from before. Where a rename waits, the
   * tombstone of the old key names the row, so it stays.
   */
  public void attributes(InodeState inode, long now) {
    if (!inode.isExportable()) {
      return;
    }
    Change waiting = inode.changeSeq == 0 ? null : get(inode.link, inode.changeSeq);
    if (waiting != null) {
      if (waiting.getKind() == ChangeKind.CHANGE_CONTENT && inode.origin.length == 0) {
        replace(inode, ChangeKind.CHANGE_CONTENT, ByteString.EMPTY, now);
      }
    } else if (inode.object != null) {
      replace(inode, ChangeKind.CHANGE_ATTR, ByteString.EMPTY, now);
    }
  }

  /** The content is exported; attributes changed while it was. */
  public void onlyAttributesLeft(InodeState inode, long now) {
    replace(inode, ChangeKind.CHANGE_ATTR, ByteString.EMPTY, now);
  }

  public void movedDirectory(InodeState dir, long now) {
    replace(dir, ChangeKind.CHANGE_MOVED_DIR, ByteString.copyFrom(dir.origin), now);
  }

  /** An object of the bucket has no file here any more. */
  public void deleted(InodeState inode, byte[] key, long now) {
    drop(inode);
    Change.Builder change =
        Change.newBuilder()
            .setLink(inode.link)
            .setKind(ChangeKind.CHANGE_DELETED)
            .setIno(inode.ino)
            .setKeyBytes(ByteString.copyFrom(key))
            .setFirstNs(now);
    if (inode.object != null) {
      change.setObject(inode.object.toBuilder().setStream(inode.stream));
    }
    bury(inode.link, key, append(change));
  }

  /** Takes the inode's row out; null where it has none. */
  public Change drop(InodeState inode) {
    Change change = inode.changeSeq == 0 ? null : get(inode.link, inode.changeSeq);
    if (change != null) {
      remove(inode.link, inode.changeSeq);
    }
    inode.changeSeq = 0;
    return change;
  }

  /** Null for none. */
  public Change get(int link, long seq) {
    byte[] key = Keys.change(link, seq);
    byte[] value = batch.get(key);
    return value == null ? null : ChangeRow.decode(key, value);
  }

  public void remove(int link, long seq) {
    batch.delete(Keys.change(link, seq));
    save(link, counts(link).removed());
  }

  private void replace(InodeState inode, ChangeKind kind, ByteString key, long now) {
    Change before = drop(inode);
    inode.changeSeq =
        append(
            Change.newBuilder()
                .setLink(inode.link)
                .setKind(kind)
                .setIno(inode.ino)
                .setKeyBytes(key)
                .setFirstNs(before == null ? now : before.getFirstNs()));
  }

  private long append(Change.Builder change) {
    LinkCounts counts = counts(change.getLink()).appended();
    save(change.getLink(), counts);
    batch.put(Keys.change(change.getLink(), counts.lastSeq()), ChangeRow.encode(change.build()));
    return counts.lastSeq();
  }

  /** Imports leave the key alone from now on; {@code seq} is the row that will end that. */
  public void bury(int link, byte[] key, long seq) {
    byte[] row = Keys.tombstone(link, key);
    if (batch.get(row) == null) {
      save(link, counts(link).buried(1));
    }
    batch.put(row, new RowWriter(11).u8(TOMBSTONE_FORMAT).varint(seq).take());
  }

  /** The row of the queue that the tombstone of exactly this key waits for; -1 for no tombstone. */
  public long buriedBy(int link, byte[] key) {
    if (counts(link).tombstones() == 0) {
      return -1;
    }
    byte[] value = batch.get(Keys.tombstone(link, key));
    return value == null ? -1 : rowOf(value);
  }

  /** The row that the tombstone of this value waits for. */
  static long rowOf(byte[] tombstone) {
    var row = new RowReader(tombstone);
    row.format(TOMBSTONE_FORMAT);
    return row.varint();
  }

  /** The delete of exactly this key that waits to be exported; null for none. */
  public Change waitingDelete(int link, byte[] key) {
    long seq = buriedBy(link, key);
    Change change = seq < 0 ? null : get(link, seq);
    return change != null && change.getKind() == ChangeKind.CHANGE_DELETED ? change : null;
  }

  /** Imports may bring the key again; a delete of it that waits is called off. */
  public void unbury(int link, byte[] key) {
    long seq = buriedBy(link, key);
    if (seq < 0) {
      return;
    }
    Change change = get(link, seq);
    if (change != null && change.getKind() == ChangeKind.CHANGE_DELETED) {
      remove(link, seq);
    }
    batch.delete(Keys.tombstone(link, key));
    save(link, counts(link).buried(-1));
  }

  public LinkCounts counts(int link) {
    return LinkCounts.decode(batch.get(Keys.linkCounts(link)));
  }

  private void save(int link, LinkCounts counts) {
    batch.put(Keys.linkCounts(link), counts.encode());
  }
}
