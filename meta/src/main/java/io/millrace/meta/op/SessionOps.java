package io.millrace.meta.op;

import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.meta.row.Keys;
import io.millrace.meta.row.RowReader;
import io.millrace.meta.row.SessionRow;
import io.millrace.meta.store.Rows;
import io.millrace.meta.tree.Removal;
import io.millrace.meta.tree.TreeWriter;
import io.millrace.proto.CloseSession;
import io.millrace.proto.CommandResult;
import io.millrace.proto.OpenSession;
import java.util.ArrayList;

/** Sessions begin and end (H6). Their ids are random and never given twice. */
public final class SessionOps {
  private SessionOps() {}

  public static CommandResult.Builder open(Scope scope, OpenSession op) {
    TreeWriter tree = scope.tree();
    long id = scope.command().getRandom();
    while (id == 0 || tree.rows().get(Keys.session(id)) != null) {
      id++;
    }
    int number = ++tree.counters().lastSession;
    tree.batch().put(Keys.session(id), SessionRow.encode(number, op.getClient()));
    return Scope.done().setSession(id).setSessionNumber(number);
  }

  public static CommandResult.Builder close(Scope scope, CloseSession op) {
    TreeWriter tree = scope.tree();
    long id = op.getSession();
    if (tree.rows().get(Keys.session(id)) == null) {
      throw new FsException(Errno.ENOENT, "no such session", "session", Long.toHexString(id));
    }
    var orphans = new ArrayList<Long>();
    try (Rows.Cursor row = tree.rows().scan(Keys.orphans(), Keys.after(Keys.orphans()))) {
      while (row.next()) {
        if (Removal.orphanSession(row.value()) == id) {
          orphans.add(new RowReader(row.key(), 1).u64());
        }
      }
    }
    orphans.forEach(scope.removal()::reap);
    tree.batch().delete(Keys.session(id));
    tree.batch().deleteForEver(Keys.replies(id), Keys.after(Keys.replies(id)));
    return Scope.done().setSession(id);
  }
}
