package io.millrace.meta.tree;

import io.millrace.meta.row.InodeState;
import io.millrace.meta.row.Keys;
import io.millrace.meta.row.MessageRow;
import io.millrace.meta.row.Mode;
import io.millrace.meta.row.TrashedRow;
import io.millrace.proto.TrashRecord;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Arrays;
import java.util.Locale;

/**
 * Where deleted files go: {@code /.trash/NAME-INO/2026-11-23-21/INO-name}, a directory of an hour
 * in the bin of the directory whose deletions are kept. Journal's thread only.
 *
 * <p>Invariant: nothing in the trash counts in a quota or belongs to a link.
 */
public final class TrashBin {
  private static final DateTimeFormatter HOUR =
      DateTimeFormatter.ofPattern("yyyy-MM-dd-HH", Locale.ROOT).withZone(ZoneOffset.UTC);
  private static final byte[] HOME = ".trash".getBytes(StandardCharsets.US_ASCII);
  private static final int NAME_MAX = 255;
  private static final int PRIVATE_DIRECTORY = Mode.DIRECTORY | 0700;
  private static final long ROOT = io.millrace.core.api.Ino.ROOT;
  private static final long NONE = 0;
  private static final long SECOND_NS = 1_000_000_000L;
  public static final long HOUR_NS = 3600 * SECOND_NS;

  private final TreeWriter tree;
  private final QuotaLedger quota;

  public TrashBin(TreeWriter tree, QuotaLedger quota) {
    this.tree = tree;
    this.quota = quota;
  }

  /** Name of an hour's directory. */
  public static byte[] hourName(long nowNs) {
    String name = HOUR.format(Instant.ofEpochSecond(Math.floorDiv(nowNs, SECOND_NS)));
    return name.getBytes(StandardCharsets.US_ASCII);
  }

  /** The bin that what is deleted in this directory goes to; null: it is deleted for good. */
  public TrashRecord of(InodeState dir) {
    long root = rootAbove(dir);
    return root == NONE || root == tree.trashes().home() ? null : tree.trashes().get(root);
  }

  /** Whether a directory is in the trash. */
  public boolean isInside(InodeState dir) {
    long home = tree.trashes().home();
    return home != NONE && rootAbove(dir) == home;
  }

  /**
   * The directory above, itself included, that decides: /.trash, whatever was moved into it, or
   * else the nearest with trash. The answer for a directory is remembered until one is moved.
   */
  private long rootAbove(InodeState dir) {
    Trashes trashes = tree.trashes();
    if (trashes.home() == NONE) {
      return NONE;
    }
    Long known = tree.trashAbove().get(dir.ino);
    if (known != null) {
      return known;
    }
    long found = NONE;
    InodeState at = dir;
    for (int depth = 0; at != null && found != trashes.home(); depth++) {
      if (at.ino == trashes.home() || (found == NONE && keeps(at))) {
        found = at.ino;
      }
      at = at.parent == 0 ? null : tree.above(at, depth);
    }
    tree.trashAbove().put(dir.ino, found);
    return found;
  }

  private boolean keeps(InodeState dir) {
    TrashRecord trash = tree.trashes().get(dir.ino);
    return trash != null && !trash.getOff();
  }

  /** Moves a name there, its inode with it. The directory is saved by the caller. */
  public void take(TrashRecord trash, InodeState dir, InodeState inode, long now) {
    InodeState hour = hour(trash, now);
    byte[] name = inode.name;
    tree.removeName(dir, inode);
    quota.released(inode);
    inode.ctime = now;
    tree.batch().put(Keys.trashed(inode.ino), new TrashedRow(dir.ino, name, now).encode());
    tree.addName(hour, free(hour, inode.ino, name), inode);
    tree.touch(hour, now);
    if (inode.isDirectory()) {
      tree.trashAbove().clear();
    }
  }

  private InodeState hour(TrashRecord trash, long now) {
    InodeState bin = tree.directory(trash.getBin());
    byte[] name = hourName(now);
    InodeState hour = tree.lookup(bin.ino, name);
    return hour == null ? made(bin, name, now) : hour;
  }

  /** Somebody may have put names of his own there. */
  private byte[] free(InodeState hour, long ino, byte[] name) {
    String prefix = ino + "-";
    while (tree.lookup(hour.ino, shown(prefix, name)) != null) {
      prefix += "-";
    }
    return shown(prefix, name);
  }

  private static byte[] shown(String start, byte[] name) {
    byte[] prefix = start.getBytes(StandardCharsets.US_ASCII);
    byte[] shown = Arrays.copyOf(prefix, Math.min(NAME_MAX, prefix.length + name.length));
    System.arraycopy(name, 0, shown, prefix.length, shown.length - prefix.length);
    return shown;
  }

  private InodeState made(InodeState parent, byte[] name, long now) {
    InodeState dir = tree.newInode(PRIVATE_DIRECTORY, 0, 0, now);
    tree.addName(parent, name, dir);
    tree.touch(parent, now);
    return dir;
  }

  /** Null where it is not in the trash, or was moved there. */
  public TrashedRow origin(long ino) {
    byte[] row = tree.batch().get(Keys.trashed(ino));
    return row == null ? null : TrashedRow.decode(row);
  }

  /** It left the trash, or is about to be freed. */
  public void forget(InodeState inode) {
    tree.batch().delete(Keys.trashed(inode.ino));
  }

  /** Makes /.trash and the root's bin where they are missing; null: something else is /.trash. */
  public TrashRecord opened(TrashRecord trash, InodeState root, long now) {
    InodeState home = home(now);
    if (home == null || trash.getBin() != NONE) {
      return home == null ? null : trash;
    }
    byte[] own = root.ino == ROOT ? "root".getBytes(StandardCharsets.US_ASCII) : root.name;
    byte[] suffix = ("-" + root.ino).getBytes(StandardCharsets.US_ASCII);
    int kept = Math.min(own.length, NAME_MAX - suffix.length);
    byte[] name = Arrays.copyOf(own, kept + suffix.length);
    System.arraycopy(suffix, 0, name, kept, suffix.length);
    InodeState bin = tree.lookup(home.ino, name);
    return trash.toBuilder().setBin(bin == null ? made(home, name, now).ino : bin.ino).build();
  }

  private InodeState home(long now) {
    if (tree.trashes().home() != NONE) {
      return tree.directory(tree.trashes().home());
    }
    InodeState root = tree.directory(ROOT);
    if (tree.lookup(ROOT, HOME) != null) {
      return null;
    }
    InodeState home = made(root, HOME, now);
    put(TrashRecord.newBuilder().setBin(home.ino).setCreatedNs(now).build());
    return home;
  }

  public void put(TrashRecord trash) {
    tree.batch().put(Keys.trash(trash.getRoot()), MessageRow.encode(trash));
    tree.putTrash(trash);
  }

  /** Nothing of it is left. */
  public void remove(TrashRecord trash) {
    tree.batch().delete(Keys.trash(trash.getRoot()));
    tree.removeTrash(trash.getRoot());
  }
}
