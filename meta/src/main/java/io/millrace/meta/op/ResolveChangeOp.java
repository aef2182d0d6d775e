package io.millrace.meta.op;

import io.millrace.meta.row.InodeState;
import io.millrace.proto.Change;
import io.millrace.proto.CommandResult;
import io.millrace.proto.ResolveChange;

/** Takes a row out of a link's queue. One that is gone, or moved to the end meanwhile, stays. */
public final class ResolveChangeOp {
  private ResolveChangeOp() {}

  public static CommandResult.Builder apply(Scope scope, ResolveChange op) {
    Change change = scope.queue().get(op.getLink(), op.getSeq());
    if (change == null || scope.tree().links().get(op.getLink()) == null) {
      return Scope.done();
    }
    switch (change.getKind()) {
      case CHANGE_DELETED -> deleted(scope, change, op.getKeepTombstone());
      case CHANGE_MOVED_DIR -> moved(scope, change);
      case CHANGE_CONTENT, CHANGE_ATTR -> forget(scope, change);
      case UNRECOGNIZED -> scope.queue().remove(op.getLink(), op.getSeq());
    }
    return Scope.done().setExisted(true);
  }

  private static void deleted(Scope scope, Change change, boolean keepTombstone) {
    byte[] key = change.getKeyBytes().toByteArray();
    boolean own = scope.queue().buriedBy(change.getLink(), key) == change.getSeq();
    if (own && !keepTombstone) {
      scope.queue().unbury(change.getLink(), key);
    } else {
      scope.queue().remove(change.getLink(), change.getSeq());
    }
  }

  private static void moved(Scope scope, Change change) {
    InodeState dir = scope.tree().existing(change.getIno());
    scope.queue().unbury(change.getLink(), dir.origin);
    dir.origin = InodeState.NONE;
    forget(scope, change);
  }

  private static void forget(Scope scope, Change change) {
    InodeState inode = scope.tree().existing(change.getIno());
    scope.queue().drop(inode);
    scope.tree().save(inode);
  }
}
