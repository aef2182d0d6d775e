package io.millrace.meta.op;

import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.meta.row.InodeState;
import io.millrace.meta.row.Mode;
import io.millrace.proto.CommandResult;
import io.millrace.proto.SetAttr;

/** Mode, owner, times and size. */
public final class SetAttrOp {
  private SetAttrOp() {}

  public static CommandResult.Builder apply(Scope scope, SetAttr op) {
    InodeState inode = scope.tree().existing(op.getIno());
    Allowed.setAttr(scope, inode, op);
    if (op.hasMode()) {
      inode.mode = (inode.mode & Mode.TYPE) | (op.getMode() & Mode.PERMISSIONS);
      AccessControl.changed(scope, inode);
    }
    if (op.hasUid()) {
      inode.uid = op.getUid();
    }
    if (op.hasGid()) {
      inode.gid = op.getGid();
    }
    if (op.getKillSuid() && !inode.isDirectory()) {
      inode.mode = Mode.withoutPrivilege(inode.mode);
    }
    if (op.hasSize()) {
      resize(scope, inode, op.getSize());
    }
    times(scope, inode, op);
    boolean shown =
        op.hasMode() || op.hasUid() || op.hasGid() || op.hasMtimeNs() || op.getMtimeNow();
    if (shown && !inode.isDirectory()) {
      scope.queue().attributes(inode, scope.now());
    }
    scope.tree().save(inode);
    return op.hasSize() ? scope.sized(inode) : Scope.result(inode);
  }

  private static void resize(Scope scope, InodeState inode, long size) {
    if (inode.isDirectory()) {
      throw new FsException(Errno.EISDIR, "size of a directory", "inode", inode.ino);
    }
    if (!inode.isRegular() || size < 0) {
      throw new FsException(Errno.EINVAL, "size can't be set", "inode", inode.ino);
    }
    if (size != inode.size) {
      long sizeBefore = inode.size;
      scope.extents().truncate(inode, size);
      scope.quota().resized(inode, sizeBefore);
      ContentChange.note(scope, inode);
    }
    inode.mtime = scope.now();
  }

  private static void times(Scope scope, InodeState inode, SetAttr op) {
    if (op.getAtimeNow()) {
      inode.atime = scope.now();
    } else if (op.hasAtimeNs()) {
      inode.atime = op.getAtimeNs();
    }
    if (op.getMtimeNow()) {
      inode.mtime = scope.now();
    } else if (op.hasMtimeNs()) {
      inode.mtime = op.getMtimeNs();
    }
    inode.ctime = scope.now();
  }
}
