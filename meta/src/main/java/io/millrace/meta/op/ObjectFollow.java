package io.millrace.meta.op;

import io.millrace.meta.row.InodeState;
import io.millrace.proto.Change;
import java.util.Arrays;

/**
 * Keeps a renamed inode and its object together (H3): what was exported remembers its old key until
 * the rename was exported, what was not is simply exported under its last name (S9). Made before
 * the names change, finished after.
 */
final class ObjectFollow {
  private final Scope scope;
  private final InodeState inode;
  private byte[] oldKey;
  private boolean adopted;

  ObjectFollow(Scope scope, InodeState inode) {
    this.scope = scope;
    this.inode = inode;
  }

  /** What takes the place of one whose delete still waits overwrites the object instead. */
  static void created(Scope scope, InodeState inode) {
    if (!inode.isExportable()) {
      return;
    }
    byte[] key = scope.tree().targetKey(inode);
    Change delete = scope.queue().waitingDelete(inode.link, key);
    if (delete != null) {
      scope.queue().unbury(inode.link, key);
      if (delete.hasObject()) {
        inode.object = delete.getObject();
        inode.stream = 0;
      }
    }
    scope.queue().content(inode, scope.now());
  }

  /**
   * A file that never was in the bucket, moved over one that is, overwrites its object: the way
   * editors save.
   */
  boolean takesObjectOf(InodeState target) {
    boolean takes =
        inode.isExportable()
            && !inode.isDirectory()
            && inode.object == null
            && target.object != null
            && target.nlink == 1
            && target.origin.length == 0;
    if (takes) {
      byte[] key = scope.tree().objectKey(target);
      inode.object = target.object;
      inode.stream = 0;
      adopted = true;
      scope.queue().drop(target);
      target.origin = key;
    }
    return takes;
  }

  void beforeMove() {
    if (inode.link == 0 || isRoot()) {
      return;
    }
    if (!inode.isDirectory() && inode.object != null && inode.stream == 0 && !adopted) {
      // the object it would have overwritten stays behind without a file
      long own = inode.changeSeq;
      inode.changeSeq = 0;
      scope.queue().deleted(inode, scope.tree().objectKey(inode), scope.now());
      inode.changeSeq = own;
      inode.object = null;
      inode.origin = InodeState.NONE;
    }
    oldKey = scope.tree().objectKey(inode);
  }

  void afterMove() {
    if (inode.link == 0 || isRoot() || !inode.isExportable()) {
      return;
    }
    boolean inBucket =
        inode.isDirectory()
            ? inode.children > 0 || inode.object != null || inode.origin.length > 0
            : inode.object != null && !adopted;
    if (!inBucket) {
      scope.queue().name(inode, scope.now());
    } else if (Arrays.equals(oldKey, scope.tree().derivedKey(inode))) {
      cameBack();
    } else {
      inode.origin = oldKey;
      if (inode.isDirectory()) {
        scope.queue().movedDirectory(inode, scope.now());
      } else {
        scope.queue().name(inode, scope.now());
      }
      scope.queue().bury(inode.link, oldKey, inode.changeSeq);
    }
  }

  private void cameBack() {
    inode.origin = InodeState.NONE;
    scope.queue().unbury(inode.link, oldKey);
    if (inode.contentSeq == inode.exportedSeq || inode.isDirectory()) {
      scope.queue().drop(inode);
    }
  }

  private boolean isRoot() {
    return scope.tree().links().get(inode.link).getRoot() == inode.ino;
  }
}
