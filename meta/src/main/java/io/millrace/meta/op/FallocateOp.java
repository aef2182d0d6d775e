package io.millrace.meta.op;

import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.meta.row.InodeState;
import io.millrace.meta.row.Mode;
import io.millrace.proto.CommandResult;
import io.millrace.proto.Fallocate;

/** Grows a file, or makes a hole in it: extents come only with content. */
public final class FallocateOp {
  private FallocateOp() {}

  public static CommandResult.Builder apply(Scope scope, Fallocate op) {
    InodeState file = scope.tree().existing(op.getIno());
    if (!file.isRegular() || op.getOffset() < 0 || op.getLength() <= 0) {
      throw new FsException(Errno.EINVAL, "range to allocate", "inode", file.ino);
    }
    long end = op.getOffset() + op.getLength();
    if (end < 0) {
      throw new FsException(Errno.EFBIG, "file too large", "inode", file.ino);
    }
    boolean zeroes = op.getZero() && op.getOffset() < file.size;
    boolean grows = !op.getKeepSize() && end > file.size;
    if (zeroes) {
      scope.extents().punch(file, op.getOffset(), Math.min(end, file.size));
    }
    if (grows) {
      long sizeBefore = file.size;
      scope.extents().truncate(file, end);
      scope.quota().resized(file, sizeBefore);
    }
    if (zeroes || grows) {
      ContentChange.note(scope, file);
    }
    file.mtime = scope.now();
    file.ctime = scope.now();
    if (op.getKillSuid()) {
      file.mode = Mode.withoutPrivilege(file.mode);
    }
    scope.tree().save(file);
    return scope.sized(file);
  }
}
