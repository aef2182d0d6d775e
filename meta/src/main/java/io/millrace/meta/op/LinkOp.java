package io.millrace.meta.op;

import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.meta.row.InodeState;
import io.millrace.proto.CommandResult;
import io.millrace.proto.Link;

/** Another name for a file (S14). */
public final class LinkOp {
  private static final int NLINK_MAX = 65_000;

  private LinkOp() {}

  public static CommandResult.Builder apply(Scope scope, Link op) {
    InodeState file = scope.tree().existing(op.getIno());
    InodeState dir = scope.tree().directory(op.getNewDir());
    byte[] name = EntryName.checked(op.getNewName(), Errno.EEXIST);
    Allowed.search(scope, dir);
    check(scope, file, dir, name);
    Allowed.add(scope, dir);
    if (file.orphan) {
      return nameUnnamed(scope, file, dir, name);
    }
    boolean first = !file.standalone;
    if (first && file.object != null && file.link != 0) {
      file.origin = scope.tree().objectKey(file); // names come and go, the object stays
    }
    scope.tree().detach(file);
    file.nlink++;
    file.ctime = scope.now();
    scope.queue().name(file, scope.now());
    scope.tree().addName(dir, name, file);
    if (scope.quota().awaitsCount(file, dir)) {
      scope.quota().adopt(file, scope.tree().quotas().get(dir.quota));
    }
    scope.touch(dir);
    return Scope.result(file);
  }

  /** A file of O_TMPFILE gets its first name, and is new to the directory's link. */
  private static CommandResult.Builder nameUnnamed(
      Scope scope, InodeState file, InodeState dir, byte[] name) {
    scope.quota().named(file, dir);
    scope.removal().named(file, dir);
    file.nlink = 1;
    file.ctime = scope.now();
    scope.tree().addName(dir, name, file);
    ObjectFollow.created(scope, file);
    scope.tree().save(file);
    scope.touch(dir);
    return Scope.result(file);
  }

  private static void check(Scope scope, InodeState file, InodeState dir, byte[] name) {
    if (file.isDirectory()) {
      throw new FsException(Errno.EPERM, "hard link to a directory", "inode", file.ino);
    }
    if (file.orphan && !scope.removal().isUnnamed(file)) {
      throw new FsException(Errno.ENOENT, "inode has no name", "inode", file.ino);
    }
    if (scope.tree().lookup(dir.ino, name) != null) {
      throw new FsException(Errno.EEXIST, "name is taken", "dir", dir.ino);
    }
    if (file.link != dir.link && !file.orphan) {
      throw new FsException(Errno.EXDEV, "hard link out of or into a link", "inode", file.ino);
    }
    boolean stays = file.parent == dir.ino && scope.quota().awaitsCount(file, dir);
    if (!file.orphan && !stays) {
      scope.quota().checkSame(file.quota, dir.quota);
    }
    if (file.nlink >= NLINK_MAX) {
      throw new FsException(Errno.EMLINK, "too many names", "inode", file.ino);
    }
  }
}
