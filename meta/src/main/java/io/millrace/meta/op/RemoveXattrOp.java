package io.millrace.meta.op;

import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.meta.row.InodeState;
import io.millrace.meta.row.Keys;
import io.millrace.proto.CommandResult;
import io.millrace.proto.RemoveXattr;

/** Takes an extended attribute away. */
public final class RemoveXattrOp {
  private RemoveXattrOp() {}

  public static CommandResult.Builder apply(Scope scope, RemoveXattr op) {
    InodeState inode = scope.tree().existing(op.getIno());
    XattrName.check(inode, op.getName());
    Allowed.removeXattr(scope, inode, op.getName());
    byte[] key = Keys.xattr(inode.ino, Scope.bytes(op.getName()));
    boolean acl = AccessControl.isAcl(op.getName()); // none to remove is no error
    if (!acl && (!inode.hasXattrs || scope.tree().rows().get(key) == null)) {
      throw new FsException(Errno.ENODATA, "no such extended attribute", "inode", inode.ino);
    }
    scope.tree().batch().delete(key);
    inode.ctime = scope.now();
    scope.tree().save(inode);
    return Scope.result(inode);
  }
}
