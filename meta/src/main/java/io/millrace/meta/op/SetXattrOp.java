package io.millrace.meta.op;

import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.meta.row.InodeState;
import io.millrace.meta.row.Keys;
import io.millrace.meta.store.RowBatch;
import io.millrace.meta.store.Rows;
import io.millrace.proto.CommandResult;
import io.millrace.proto.SetXattr;

/** An extended attribute. Names of one inode take 64 KiB at most, as listxattr(2) can return. */
public final class SetXattrOp {
  private static final int CREATE = 1;
  private static final int REPLACE = 2;
  private static final int VALUE_MAX = 64 << 10;
  private static final int NAMES_MAX = 64 << 10;
  private static final int FORMAT = 1;

  private SetXattrOp() {}

  public static CommandResult.Builder apply(Scope scope, SetXattr op) {
    InodeState inode = scope.tree().existing(op.getIno());
    int length = op.getName().size();
    if (length == 0 || length > EntryName.MAX_BYTES) {
      throw new FsException(Errno.ERANGE, "name of an extended attribute", "length", length);
    }
    if (op.getValue().size() > VALUE_MAX) {
      throw new FsException(Errno.ENOSPC, "extended attribute over 64 KiB", "inode", inode.ino);
    }
    XattrName.check(inode, op.getName());
    Allowed.setXattr(scope, inode, op.getName());
    if (AccessControl.isAcl(op.getName())) {
      AccessControl.set(scope, inode, op);
    } else {
      put(scope, inode, op);
    }
    inode.ctime = scope.now();
    scope.tree().save(inode);
    return Scope.result(inode);
  }

  private static void put(Scope scope, InodeState inode, SetXattr op) {
    RowBatch batch = scope.tree().batch();
    byte[] key = Keys.xattr(inode.ino, Scope.bytes(op.getName()));
    boolean exists = inode.hasXattrs && batch.get(key) != null;
    if (exists && (op.getFlags() & CREATE) != 0) {
      throw new FsException(Errno.EEXIST, "extended attribute exists", "inode", inode.ino);
    }
    if (!exists && (op.getFlags() & REPLACE) != 0) {
      throw new FsException(Errno.ENODATA, "no such extended attribute", "inode", inode.ino);
    }
    if (!exists && inode.hasXattrs) {
      checkRoom(batch, inode, op.getName().size());
    }
    batch.put(key, row(Scope.bytes(op.getValue())));
    inode.hasXattrs = true;
  }

  private static byte[] row(byte[] value) {
    return new io.millrace.meta.row.RowWriter(value.length + 1).u8(FORMAT).rest(value).take();
  }

  private static void checkRoom(RowBatch batch, InodeState inode, int more) {
    byte[] prefix = Keys.xattrs(inode.ino);
    long names = more + 1L;
    try (Rows.Cursor row = batch.scan(prefix, Keys.after(prefix))) {
      while (row.next()) {
        names += row.key().length - prefix.length + 1;
      }
    }
    if (names > NAMES_MAX) {
      throw new FsException(Errno.ENOSPC, "too many extended attributes", "inode", inode.ino);
    }
  }
}
