package io.millrace.link;

import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.proto.Command;
import io.millrace.proto.Inode;
import io.millrace.proto.NoticeKind;
import io.millrace.proto.Rmdir;
import io.millrace.proto.Unlink;

/**
 * Takes entries away because the bucket no longer has them or the link goes: unlike a user's
 * unlink, the bucket is not to hear of it, so the change that the unlink leaves is resolved at
 * once.
 */
final class EntryRemoval {
  private final LinkParts parts;

  EntryRemoval(LinkParts parts) {
    this.parts = parts;
  }

  /** False: it was changed meanwhile, or another file has its name, and stays. */
  boolean file(Inode entry) {
    Unlink.Builder unlink =
        Unlink.newBuilder()
            .setDir(entry.getParent())
            .setName(entry.getName())
            .setOpen(parts.notifier().leased(entry.getIno()))
            .setForget(true)
            .setOnlyIno(entry.getIno())
            .setOnlyContentSeq(entry.getContentSeq());
    try {
      parts.writer().apply(Command.newBuilder().setUnlink(unlink));
    } catch (FsException e) {
      if (e.errno() == Errno.ESTALE || e.errno() == Errno.ENOENT) {
        return false;
      }
      throw e;
    }
    tell(entry, NoticeKind.ENTRY_DELETED);
    return true;
  }

  /** False: something is in it. */
  boolean emptyDirectory(Inode entry) {
    Rmdir.Builder rmdir = Rmdir.newBuilder().setDir(entry.getParent()).setName(entry.getName());
    try {
      parts.writer().apply(Command.newBuilder().setRmdir(rmdir));
    } catch (FsException e) {
      if (e.errno() == Errno.ENOTEMPTY || e.errno() == Errno.ENOENT) {
        return false;
      }
      throw e;
    }
    tell(entry, NoticeKind.ENTRY_CHANGED);
    return true;
  }

  private void tell(Inode entry, NoticeKind kind) {
    parts.tell(kind, entry.getParent(), entry.getName(), entry.getIno());
  }
}
