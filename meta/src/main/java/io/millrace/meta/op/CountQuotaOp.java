package io.millrace.meta.op;

import io.millrace.meta.row.InodeState;
import io.millrace.meta.row.Keys;
import io.millrace.meta.store.Rows;
import io.millrace.meta.tree.QuotaWork;
import io.millrace.meta.tree.TreeWriter;
import io.millrace.proto.CommandResult;
import io.millrace.proto.CountQuota;
import io.millrace.proto.QuotaRecord;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Counts some entries of a directory that was there before its quota. Directories below it get rows
 * of their own, so that no tree is too deep, and nothing is lost by a restart. What is made
 * meanwhile counts from its making: new entries of a directory carry what it carries.
 */
public final class CountQuotaOp {
  private final Scope scope;
  private final TreeWriter tree;

  private CountQuotaOp(Scope scope) {
    this.scope = scope;
    this.tree = scope.tree();
  }

  public static CommandResult.Builder apply(Scope scope, CountQuota op) {
    QuotaRecord quota = scope.tree().quotas().get(op.getId());
    boolean more =
        quota != null
            && quota.getCounting()
            && new CountQuotaOp(scope).run(quota, Math.max(1, op.getEntriesMax()));
    return Scope.done().setQuotaId(op.getId()).setExisted(more);
  }

  private boolean run(QuotaRecord quota, int entriesMax) {
    int left = entriesMax;
    while (left > 0) {
      QuotaWork work = next(quota);
      if (work == null) {
        scope.quota().counted(quota);
        return false;
      }
      left -= look(quota, work, left) + 1;
    }
    return true;
  }

  /** Its own first, then what removed quotas in it left undone; null: all is counted. */
  private QuotaWork next(QuotaRecord quota) {
    QuotaWork own = first(quota.getId());
    if (own != null) {
      return own;
    }
    for (QuotaRecord removed : tree.quotas().uncounted(quota.getId())) {
      QuotaWork left = first(removed.getId());
      if (left != null) {
        return left;
      }
      scope.quota().counted(removed);
    }
    return null;
  }

  private QuotaWork first(int quota) {
    byte[] prefix = Keys.quotaWork(quota);
    try (Rows.Cursor row = tree.batch().scan(prefix, Keys.after(prefix))) {
      return row.next() ? QuotaWork.decode(row.key(), row.value()) : null;
    }
  }

  /** How many entries it looked at. */
  private int look(QuotaRecord quota, QuotaWork work, int entriesMax) {
    byte[] key = Keys.quotaWork(work.quota(), work.dir());
    InodeState dir = tree.inode(work.dir());
    if (dir == null || dir.quota != quota.getId()) {
      tree.batch().delete(key);
      return 0;
    }
    List<byte[]> names = names(work, entriesMax);
    for (byte[] name : names) {
      InodeState inode = tree.lookup(dir.ino, name);
      scope.quota().adopt(inode, quota);
    }
    if (names.size() < entriesMax) {
      tree.batch().delete(key);
    } else {
      tree.batch().put(key, new QuotaWork(work.quota(), dir.ino, names.getLast()).value());
    }
    return names.size();
  }

  private List<byte[]> names(QuotaWork work, int entriesMax) {
    byte[] prefix = Keys.entries(work.dir());
    byte[] upTo = work.upTo();
    byte[] start =
        upTo.length == 0 ? prefix : Keys.entry(work.dir(), Arrays.copyOf(upTo, upTo.length + 1));
    var names = new ArrayList<byte[]>();
    try (Rows.Cursor row = tree.batch().scan(start, Keys.after(prefix))) {
      while (names.size() < entriesMax && row.next()) {
        names.add(Keys.nameOf(row.key()));
      }
    }
    return names;
  }
}
