package io.millrace.meta.tree;

import io.millrace.core.api.BlockId;
import io.millrace.meta.row.ExtentRow;
import io.millrace.meta.row.InodeState;
import io.millrace.meta.row.Keys;
import io.millrace.meta.store.Rows;
import java.util.Map;

/** Whether a file still shows bytes of a version's stream: one or two gets and a short scan. */
public final class StreamUse {
  private StreamUse() {}

  /** Of the inode's extents alone; false where the inode is gone. */
  public static boolean shown(TreeReader tree, long ino, long version, long from, long to) {
    InodeState file = tree.inode(ino);
    if (file == null || !file.isRegular()) {
      return false;
    }
    if (file.version != 0) {
      return file.version == version && from < file.size;
    }
    Rows rows = tree.rows();
    byte[] start = Keys.stream(ino, version, from);
    Map.Entry<byte[], byte[]> before = rows.floor(Keys.streams(ino, version), start);
    if (before != null
        && ExtentRow.streamOffset(before.getKey()) + ExtentRow.streamLength(before.getValue())
            > from) {
      return true;
    }
    byte[] end =
        to == Long.MAX_VALUE
            ? Keys.after(Keys.streams(ino, version))
            : Keys.stream(ino, version, to);
    try (Rows.Cursor row = rows.scan(start, end)) {
      return row.next();
    }
  }

  /** Whether the block may be needed: extents show it, or the bucket's object has its bytes. */
  public static boolean needed(TreeReader tree, BlockId id) {
    InodeState file = tree.inode(id.ino());
    if (file == null) {
      return false;
    }
    long from = (long) id.index() * BlockId.MAX_BYTES;
    return (file.object != null && file.stream == id.version())
        || shown(tree, id.ino(), id.version(), from, from + BlockId.MAX_BYTES);
  }
}
