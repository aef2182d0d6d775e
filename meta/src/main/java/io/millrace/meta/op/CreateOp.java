package io.millrace.meta.op;

import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.meta.row.InodeState;
import io.millrace.meta.row.Keys;
import io.millrace.meta.row.Mode;
import io.millrace.proto.CommandResult;
import io.millrace.proto.Create;

/** A regular file, symbolic link or special file. */
public final class CreateOp {
  private static final int TARGET_MAX = 4095;

  private CreateOp() {}

  public static CommandResult.Builder apply(Scope scope, Create op) {
    InodeState dir = scope.tree().directory(op.getDir());
    if (op.getUnnamed()) {
      return unnamed(scope, dir, op);
    }
    byte[] name = EntryName.checked(op.getName(), Errno.EEXIST);
    Allowed.search(scope, dir);
    InodeState existing = scope.tree().lookup(dir.ino, name);
    if (existing != null) {
      if (op.getExclusive() || !existing.isRegular()) {
        throw new FsException(Errno.EEXIST, "name is taken", "dir", dir.ino);
      }
      Allowed.open(scope, existing, op.getOpenFlags());
      return scope.sized(existing).setExisted(true);
    }
    Allowed.add(scope, dir);
    InodeState file = made(scope, dir, op);
    file.link = dir.link;
    if (file.isSymlink()) {
      putTarget(scope, file, op);
    }
    scope.quota().made(file, dir);
    scope.tree().addName(dir, name, file);
    ObjectFollow.created(scope, file);
    scope.tree().save(file);
    scope.touch(dir);
    return scope.sized(file);
  }

  private static InodeState made(Scope scope, InodeState dir, Create op) {
    InodeState file =
        scope
            .tree()
            .newInode(mode(op), scope.command().getUid(), Owner.gid(scope, dir), scope.now());
    file.rdev = op.getRdev();
    AccessControl.inherit(scope, dir, file, op.getUmask());
    return file;
  }

  /** Outside any link until it has a name. */
  private static CommandResult.Builder unnamed(Scope scope, InodeState dir, Create op) {
    if (scope.session() == 0) {
      throw new FsException(Errno.EINVAL, "an unnamed file is a session's");
    }
    Allowed.add(scope, dir);
    InodeState file = made(scope, dir, op);
    scope.quota().made(file, dir);
    scope.removal().unnamed(file, scope.session());
    return scope.sized(file);
  }

  private static int mode(Create op) {
    int type = op.getMode() & Mode.TYPE;
    if (type == Mode.DIRECTORY) {
      throw new FsException(Errno.EINVAL, "directories are made by mkdir");
    }
    return (type == 0 ? Mode.REGULAR : type) | (op.getMode() & Mode.PERMISSIONS);
  }

  private static void putTarget(Scope scope, InodeState link, Create op) {
    byte[] target = Scope.bytes(op.getTarget());
    if (target.length == 0 || target.length > TARGET_MAX) {
      throw new FsException(
          target.length == 0 ? Errno.EINVAL : Errno.ENAMETOOLONG, "target of a symbolic link");
    }
    link.mode = Mode.SYMLINK | 0777;
    link.size = target.length;
    scope.tree().batch().put(Keys.target(link.ino), target);
  }
}
