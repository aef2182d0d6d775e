package io.millrace.meta.op;

import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.meta.row.InodeState;
import io.millrace.meta.row.Mode;
import io.millrace.proto.CommandResult;
import io.millrace.proto.CommitContent;

/**
 * Publishes written blocks. A write sets both times to when it was made, not to when it got here;
 * one set by hand since then (utimensat) has its own change time already.
 */
public final class CommitContentOp {
  private CommitContentOp() {}

  public static CommandResult.Builder apply(Scope scope, CommitContent op) {
    InodeState file = scope.tree().existing(op.getIno());
    if (!file.isRegular()) {
      throw new FsException(Errno.EINVAL, "not a regular file", "inode", file.ino);
    }
    long end = op.getSize();
    for (var extent : op.getExtentsList()) {
      end = Math.max(end, extent.getFileOffset() + extent.getLength());
    }
    if (end < 0) {
      throw new FsException(Errno.EFBIG, "file too large", "inode", file.ino);
    }
    boolean changes = op.getExtentsCount() > 0 || end > file.size;
    scope.extents().replace(file, op.getExtentsList(), end);
    if (changes) {
      ContentChange.note(scope, file);
    }
    file.mtime = op.hasMtimeNs() ? op.getMtimeNs() : scope.now();
    file.ctime = Math.max(file.ctime, Math.min(file.mtime, scope.now()));
    if (op.getKillSuid()) {
      file.mode = Mode.withoutPrivilege(file.mode);
    }
    scope.tree().save(file);
    return Scope.result(file);
  }
}
