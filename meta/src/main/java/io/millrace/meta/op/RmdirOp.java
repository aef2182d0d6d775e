package io.millrace.meta.op;

import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.meta.row.InodeState;
import io.millrace.proto.CommandResult;
import io.millrace.proto.Rmdir;

/** Removes an empty directory. */
public final class RmdirOp {
  private RmdirOp() {}

  public static CommandResult.Builder apply(Scope scope, Rmdir op) {
    InodeState parent = scope.tree().directory(op.getDir());
    byte[] name = EntryName.checked(op.getName(), Errno.EINVAL);
    Allowed.search(scope, parent);
    InodeState dir = scope.tree().lookup(parent.ino, name);
    if (dir == null) {
      throw new FsException(Errno.ENOENT, "no such entry", "dir", parent.ino);
    }
    Allowed.remove(scope, parent, dir);
    if (!dir.isDirectory()) {
      throw new FsException(Errno.ENOTDIR, "not a directory", "inode", dir.ino);
    }
    checkRemovable(scope, dir);
    scope.removal().directory(parent, dir, scope.now());
    scope.noteEmptied(parent);
    scope.touch(parent);
    return Scope.done().setReplaced(dir.toProto());
  }

  /**
   * @throws FsException ENOTEMPTY; EBUSY the root of a link
   */
  static void checkRemovable(Scope scope, InodeState dir) {
    if (dir.children > 0) {
      throw new FsException(Errno.ENOTEMPTY, "directory is not empty", "inode", dir.ino);
    }
    if (scope.tree().trashes().holds(dir.ino)) {
      throw new FsException(Errno.EBUSY, "directory is the trash's", "inode", dir.ino);
    }
    if (dir.link != 0 && scope.tree().links().get(dir.link).getRoot() == dir.ino) {
      throw new FsException(Errno.EBUSY, "directory is the root of a link", "link", dir.link);
    }
  }
}
