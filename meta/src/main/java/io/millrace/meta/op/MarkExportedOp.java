package io.millrace.meta.op;

import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.meta.row.InodeState;
import io.millrace.proto.Change;
import io.millrace.proto.ChangeKind;
import io.millrace.proto.CommandResult;
import io.millrace.proto.ContentClass;
import io.millrace.proto.MarkExported;
import io.millrace.proto.ObjectVersion;
import java.util.Arrays;

/**
 * The bucket was seen to hold a file's content. Clean only where nothing changed meanwhile; else
 * the object is recorded and the change stays in the queue.
 */
public final class MarkExportedOp {
  private final Scope scope;
  private final MarkExported op;
  private final InodeState inode;

  private MarkExportedOp(Scope scope, MarkExported op) {
    this.scope = scope;
    this.op = op;
    inode = scope.tree().existing(op.getIno());
  }

  public static CommandResult.Builder apply(Scope scope, MarkExported op) {
    return new MarkExportedOp(scope, op).run();
  }

  private CommandResult.Builder run() {
    if (inode.link == 0 || inode.orphan) {
      throw new FsException(Errno.ESTALE, "file left the link", "inode", inode.ino);
    }
    if (op.getKnownOnly() && inode.contentClass == ContentClass.CLEAN && inode.object != null) {
      return Scope.result(inode).setExisted(false); // exported meanwhile, over that very object
    }
    boolean same = !op.getKnownOnly() && op.getContentSeq() == inode.contentSeq;
    boolean exported = !op.getKnownOnly() && op.getContentSeq() != 0;
    ObjectVersion object = withStream(same);
    if (inode.isRegular() && same && inode.size > 0) {
      checkWhole(object);
      scope.extents().become(inode, object.getStream());
    } else if (inode.isRegular() && exported) {
      scope.extents().moveStream(inode, inode.stream, object.getStream());
    }
    if (inode.isDirectory()) {
      unburyOwn(scope.tree().targetKey(inode)); // its marker; a move ends with ResolveChange
    } else if (!op.getKeyBytes().isEmpty()) {
      settle(op.getKeyBytes().toByteArray());
    }
    inode.setObject(object);
    if (exported) {
      inode.exportedSeq = Math.max(inode.exportedSeq, op.getContentSeq());
    }
    if (same) {
      inode.contentClass = ContentClass.CLEAN;
      dropSettled();
    }
    scope.tree().save(inode);
    return Scope.result(inode).setExisted(same);
  }

  private void dropSettled() {
    boolean settled =
        inode.isDirectory()
            ? inode.origin.length == 0
            : Arrays.equals(scope.tree().objectKey(inode), scope.tree().targetKey(inode));
    boolean changedSince = op.getChange() != 0 && inode.changeSeq > op.getChange();
    if (settled && changedSince && inode.isRegular()) {
      scope.queue().onlyAttributesLeft(inode, scope.now());
    } else if (settled) {
      scope.queue().drop(inode);
    }
  }

  private ObjectVersion withStream(boolean same) {
    boolean uniform = same && op.getObject().getStream() == 0 && inode.version != 0;
    return uniform ? op.getObject().toBuilder().setStream(inode.version).build() : op.getObject();
  }

  /** Else clean blocks might be dropped that no object can give back. */
  private void checkWhole(ObjectVersion object) {
    if (object.getStream() == 0 || object.getSize() != inode.size) {
      throw new FsException(
          Errno.EINVAL, "object does not hold the file", "inode", inode.ino, "size", inode.size);
    }
  }

  /** The object is at this key now; the one before it no longer waits for the rename. */
  private void settle(byte[] key) {
    byte[] before = scope.tree().objectKey(inode);
    if (inode.object != null && !Arrays.equals(before, key)) {
      unburyOwn(before);
    }
    boolean derived = Arrays.equals(key, scope.tree().derivedKey(inode));
    inode.origin = derived ? InodeState.NONE : key;
    unburyOwn(key);
    if (!Arrays.equals(key, scope.tree().targetKey(inode)) && inode.changeSeq != 0) {
      scope.queue().bury(inode.link, key, inode.changeSeq); // renamed during the upload
    }
  }

  /** Not where another inode's rename still needs the key. */
  private void unburyOwn(byte[] key) {
    long seq = scope.queue().buriedBy(inode.link, key);
    Change waiting = seq < 0 ? null : scope.queue().get(inode.link, seq);
    boolean others =
        waiting != null
            && waiting.getKind() != ChangeKind.CHANGE_DELETED
            && waiting.getIno() != inode.ino;
    if (!others) {
      scope.queue().unbury(inode.link, key);
    }
  }
}
