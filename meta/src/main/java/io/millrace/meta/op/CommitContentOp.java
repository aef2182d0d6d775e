package io.millrace.meta.op;

import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.meta.row.InodeState;
import io.millrace.meta.row.Mode;
import io.millrace.proto.CommandResult;
import io.millrace.proto.CommitContent;
import io.millrace.proto.Extent;
import java.util.ArrayList;
import java.util.List;

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
    long sizeBefore = file.size;
    boolean changes;
    if (op.hasAppendFrom()) {
      changes = append(scope, file, op);
    } else {
      changes = publish(scope, file, op.getExtentsList(), op.getSize());
    }
    scope.quota().resized(file, sizeBefore);
    if (changes) {
      ContentChange.note(scope, file);
    }
    file.mtime = op.hasMtimeNs() ? op.getMtimeNs() : scope.now();
    file.ctime = Math.max(file.ctime, Math.min(file.mtime, scope.now()));
    if (op.getKillSuid()) {
      file.mode = Mode.withoutPrivilege(file.mode);
    }
    scope.tree().save(file);
    return scope.sized(file);
  }

  private static boolean publish(Scope scope, InodeState file, List<Extent> extents, long size) {
    long end = size;
    for (Extent extent : extents) {
      end = Math.max(end, extent.getFileOffset() + extent.getLength());
    }
    if (end < 0) {
      throw new FsException(Errno.EFBIG, "file too large", "inode", file.ino);
    }
    boolean changes = !extents.isEmpty() || end > file.size;
    scope.extents().replace(file, extents, end);
    return changes;
  }

  /** What the writer put before the end it knew stays; what it put after moves to the true end. */
  private static boolean append(Scope scope, InodeState file, CommitContent op) {
    long from = op.getAppendFrom();
    var placed = new ArrayList<Extent>();
    var added = new ArrayList<Extent>();
    for (Extent extent : op.getExtentsList()) {
      long before = Math.clamp(from - extent.getFileOffset(), 0, extent.getLength());
      if (before > 0) {
        placed.add(extent.toBuilder().setLength(before).build());
      }
      if (before < extent.getLength()) {
        added.add(
            extent.toBuilder()
                .setFileOffset(extent.getFileOffset() + before)
                .setStreamOffset(extent.getStreamOffset() + before)
                .setLength(extent.getLength() - before)
                .build());
      }
    }
    boolean changes = !placed.isEmpty() && publish(scope, file, placed, 0);
    long shift = file.size - from;
    added.replaceAll(e -> e.toBuilder().setFileOffset(e.getFileOffset() + shift).build());
    return (!added.isEmpty() && publish(scope, file, added, 0)) || changes;
  }
}
