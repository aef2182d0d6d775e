package io.millrace.meta.op;

import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.meta.row.InodeState;
import io.millrace.proto.CommandResult;
import io.millrace.proto.Unlink;

/** Takes a file's name away. */
public final class UnlinkOp {
  private UnlinkOp() {}

  public static CommandResult.Builder apply(Scope scope, Unlink op) {
    InodeState dir = scope.tree().directory(op.getDir());
    byte[] name = EntryName.checked(op.getName(), Errno.EISDIR);
    Allowed.search(scope, dir);
    InodeState file = scope.tree().lookup(dir.ino, name);
    if (file == null) {
      throw new FsException(Errno.ENOENT, "no such entry", "dir", dir.ino);
    }
    Allowed.remove(scope, dir, file);
    if (file.isDirectory()) {
      throw new FsException(Errno.EISDIR, "is a directory", "inode", file.ino);
    }
    boolean another = file.ino != op.getOnlyIno() || file.contentSeq != op.getOnlyContentSeq();
    if (op.getOnlyIno() != 0 && another) {
      throw new FsException(Errno.ESTALE, "another file has the name", "inode", file.ino);
    }
    if (op.getForget()) {
      scope.removal().forget(dir, file, op.getOpen(), scope.session(), scope.now());
    } else {
      scope.removal().unlink(dir, file, op.getOpen(), scope.session(), scope.now());
      scope.noteEmptied(dir);
    }
    scope.touch(dir);
    return Scope.done().setReplaced(file.toProto());
  }
}
