package io.millrace.meta.op;

import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.meta.row.InodeState;
import io.millrace.meta.row.Mode;
import io.millrace.proto.CommandResult;
import io.millrace.proto.Mkdir;

/** A directory. */
public final class MkdirOp {
  private MkdirOp() {}

  public static CommandResult.Builder apply(Scope scope, Mkdir op) {
    InodeState parent = scope.tree().directory(op.getDir());
    byte[] name = EntryName.checked(op.getName(), Errno.EEXIST);
    Allowed.search(scope, parent);
    if (scope.tree().lookup(parent.ino, name) != null) {
      throw new FsException(Errno.EEXIST, "name is taken", "dir", parent.ino);
    }
    Allowed.add(scope, parent);
    int mode = Mode.DIRECTORY | (op.getMode() & Mode.PERMISSIONS);
    InodeState dir =
        scope
            .tree()
            .newInode(
                Owner.inherits(parent) ? mode | Mode.SETGID : mode,
                scope.command().getUid(),
                Owner.gid(scope, parent),
                scope.now());
    dir.link = parent.link;
    AccessControl.inherit(scope, parent, dir, op.getUmask());
    scope.quota().made(dir, parent);
    scope.tree().addName(parent, name, dir);
    if (dir.link != 0) {
      ObjectFollow.created(scope, dir);
      scope.tree().save(dir);
    }
    scope.touch(parent);
    return Scope.result(dir);
  }
}
