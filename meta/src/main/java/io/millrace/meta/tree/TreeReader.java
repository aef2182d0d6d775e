package io.millrace.meta.tree;

import com.google.protobuf.ByteString;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.meta.row.ChangeRow;
import io.millrace.meta.row.EntryRow;
import io.millrace.meta.row.InodeRow;
import io.millrace.meta.row.InodeState;
import io.millrace.meta.row.Keys;
import io.millrace.meta.store.Rows;
import io.millrace.proto.Change;
import io.millrace.proto.ChangeKind;
import io.millrace.proto.LinkRecord;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Reads names and inodes from rows: the same code for readers of what is written and for the state
 * machine. Owned by one thread at a time.
 */
public class TreeReader {
  private static final int DEPTH_MAX = 1 << 16;

  protected final Rows rows;
  protected Links links;
  protected Quotas quotas;

  /**
   * @param links and {@code quotas}: those that exist, by which inodes are read
   */
  public TreeReader(Rows rows, Links links, Quotas quotas) {
    this.rows = rows;
    this.links = links;
    this.quotas = quotas;
  }

  public final Rows rows() {
    return rows;
  }

  public final Links links() {
    return links;
  }

  public final Quotas quotas() {
    return quotas;
  }

  /** The inode a name stands for; null where there is no such entry. */
  public InodeState lookup(long dir, byte[] name) {
    byte[] value = rows.get(Keys.entry(dir, name));
    return value == null ? null : resolved(EntryRow.decode(value, dir, name));
  }

  /** Fills in what a reference leaves out. Null where its inode is gone (a reader met a rename). */
  public InodeState resolved(InodeState entry) {
    if (!entry.standalone) {
      return live(entry);
    }
    byte[] value = rows.get(Keys.inode(entry.ino));
    if (value == null) {
      return null;
    }
    InodeState inode = InodeRow.decode(entry.ino, value);
    if (!inode.standalone) {
      return null;
    }
    inode.parent = entry.parent;
    inode.name = entry.name;
    inode.cookie = entry.cookie;
    return live(inode);
  }

  /** Null where the inode is gone. */
  public InodeState inode(long ino) {
    byte[] value = rows.get(Keys.inode(ino));
    if (value == null) {
      return null;
    }
    InodeState inode = InodeRow.decode(ino, value);
    if (inode.standalone) {
      if (!inode.isDirectory() && !inode.orphan) {
        placeAtFirstName(inode);
      }
      return live(inode);
    }
    InodeState found = lookup(inode.parent, inode.name);
    return found != null && found.ino == ino ? found : null;
  }

  /**
   * @throws FsException ESTALE it is gone
   */
  public final InodeState existing(long ino) {
    InodeState inode = inode(ino);
    if (inode == null) {
      throw new FsException(Errno.ESTALE, "inode is gone", "inode", ino);
    }
    return inode;
  }

  /**
   * @throws FsException ESTALE it is gone; ENOTDIR
   */
  public final InodeState directory(long ino) {
    InodeState dir = existing(ino);
    if (!dir.isDirectory()) {
      throw new FsException(Errno.ENOTDIR, "not a directory", "inode", ino);
    }
    return dir;
  }

  /** One name of an inode that may have several. */
  public record Place(long dir, ByteString name) {}

  /** All names of a file with several, by directory and name. */
  public final List<Place> names(long ino) {
    var names = new ArrayList<Place>();
    byte[] prefix = Keys.names(ino);
    try (Rows.Cursor row = rows.scan(prefix, Keys.after(prefix))) {
      while (row.next()) {
        names.add(place(row.key()));
      }
    }
    return names;
  }

  private static Place place(byte[] nameKey) {
    var key = new io.millrace.meta.row.RowReader(nameKey, 9);
    return new Place(key.u64(), ByteString.copyFrom(key.rest()));
  }

  private void placeAtFirstName(InodeState inode) {
    byte[] prefix = Keys.names(inode.ino);
    try (Rows.Cursor row = rows.scan(prefix, Keys.after(prefix))) {
      if (!row.next()) {
        return;
      }
      Place place = place(row.key());
      byte[] name = place.name.toByteArray();
      byte[] entry = rows.get(Keys.entry(place.dir, name));
      inode.parent = place.dir;
      inode.name = name;
      inode.cookie = entry == null ? 0 : EntryRow.decode(entry, place.dir, name).cookie;
    }
  }

  private InodeState live(InodeState inode) {
    if (inode.link != 0 && links.get(inode.link) == null) {
      inode.forgetLink();
    }
    inode.quota = quotas.live(inode.quota);
    return inode;
  }

  /** Names from the root. @throws FsException ESTALE the inode, or its last name, is gone */
  public final List<byte[]> path(long ino) {
    var names = new ArrayDeque<byte[]>();
    InodeState at = existing(ino);
    while (at.parent != 0) {
      names.addFirst(at.name);
      at = above(at, names.size());
    }
    if (at.orphan) {
      throw new FsException(Errno.ESTALE, "inode has no name", "inode", ino);
    }
    return List.copyOf(names);
  }

  /** Whether {@code dir} is {@code ancestor} or below it (H31). */
  public final boolean isWithin(InodeState dir, long ancestor) {
    InodeState at = dir;
    for (int depth = 0; ; depth++) {
      if (at.ino == ancestor) {
        return true;
      }
      if (at.parent == 0) {
        return false;
      }
      at = above(at, depth);
    }
  }

  /** The directory above; {@code depth} ends a loop. */
  final InodeState above(InodeState at, int depth) {
    if (depth > DEPTH_MAX) {
      throw new FsException(Errno.EIO, "directories form a loop", "inode", at.ino);
    }
    return directory(at.parent);
  }

  /**
   * Key in the bucket of the object that holds its content; of a directory the prefix (H3).
   *
   * @throws FsException EINVAL outside any link
   */
  public final byte[] objectKey(InodeState inode) {
    return inode.origin.length > 0 ? inode.origin : derivedKey(inode);
  }

  /** As {@link #objectKey}, but without regard to its own origin: from its directory's. */
  public final byte[] derivedKey(InodeState inode) {
    return key(inode, true);
  }

  /** From names alone: the key after all renames were exported. */
  public final byte[] targetKey(InodeState inode) {
    return key(inode, false);
  }

  private byte[] key(InodeState inode, boolean origins) {
    LinkRecord link = links.get(inode.link);
    if (link == null) {
      throw new FsException(Errno.EINVAL, "not in a link", "inode", inode.ino);
    }
    if (inode.ino == link.getRoot()) {
      return link.getPrefixBytes().toByteArray();
    }
    return joined(List.of(prefix(above(inode, 0), link, origins), ObjectNames.last(inode)));
  }

  /**
   * What the keys of a directory's children begin with, for children of that link.
   *
   * @throws FsException EINVAL no such link; ESTALE the directory is gone
   */
  public final byte[] prefix(long dir, int link) {
    LinkRecord record = links.get(link);
    if (record == null) {
      throw new FsException(Errno.EINVAL, "not in a link", "inode", dir);
    }
    return prefix(directory(dir), record, true);
  }

  private byte[] prefix(InodeState dir, LinkRecord link, boolean origins) {
    var parts = new ArrayDeque<byte[]>();
    InodeState at = dir;
    while (at.ino != link.getRoot() && !(origins && at.origin.length > 0)) {
      parts.addFirst(ObjectNames.last(at));
      at = above(at, parts.size());
    }
    parts.addFirst(at.ino == link.getRoot() ? link.getPrefixBytes().toByteArray() : at.origin);
    return joined(parts);
  }

  private static byte[] joined(Iterable<byte[]> parts) {
    int length = 0;
    for (byte[] part : parts) {
      length += part.length;
    }
    byte[] all = new byte[length];
    int at = 0;
    for (byte[] part : parts) {
      System.arraycopy(part, 0, all, at, part.length);
      at += part.length;
    }
    return all;
  }

  /** Whether an import must leave this key alone: it, or a prefix of it, is remembered (S8, H3). */
  public final boolean tombstone(int link, byte[] objectKey) {
    for (int i = 0; i < objectKey.length - 1; i++) {
      if (objectKey[i] == '/'
          && rows.get(Keys.tombstone(link, Arrays.copyOf(objectKey, i + 1))) != null) {
        return true;
      }
    }
    return rows.get(Keys.tombstone(link, objectKey)) != null;
  }

  /** The rename that still has its object under this key, or its objects below a prefix of it. */
  public final Change waitingRename(int link, byte[] objectKey) {
    for (int length = objectKey.length; length > 0; length--) {
      if (length < objectKey.length && objectKey[length - 1] != '/') {
        continue;
      }
      byte[] tombstone = rows.get(Keys.tombstone(link, Arrays.copyOf(objectKey, length)));
      if (tombstone != null) {
        byte[] key = Keys.change(link, ChangeQueue.rowOf(tombstone));
        byte[] value = rows.get(key);
        Change change = value == null ? null : ChangeRow.decode(key, value);
        if (change != null && change.getKind() != ChangeKind.CHANGE_DELETED) {
          return change;
        }
      }
    }
    return null;
  }
}
