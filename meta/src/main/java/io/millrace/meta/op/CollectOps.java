package io.millrace.meta.op;

import io.millrace.meta.row.Keys;
import io.millrace.proto.CommandResult;
import io.millrace.proto.ForgetGarbage;
import io.millrace.proto.ReapOrphan;

/** The collector's two: orphans nobody has open, garbage whose blocks were dropped. */
public final class CollectOps {
  private CollectOps() {}

  public static CommandResult.Builder reap(Scope scope, ReapOrphan op) {
    op.getInoList().forEach(scope.removal()::reap);
    return Scope.done();
  }

  public static CommandResult.Builder forget(Scope scope, ForgetGarbage op) {
    for (long seq : op.getSeqList()) {
      scope.tree().batch().delete(Keys.garbage(seq));
    }
    return Scope.done();
  }
}
