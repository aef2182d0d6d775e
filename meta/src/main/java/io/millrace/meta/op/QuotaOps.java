package io.millrace.meta.op;

import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.meta.row.InodeState;
import io.millrace.meta.row.Keys;
import io.millrace.meta.row.QuotaCount;
import io.millrace.meta.tree.QuotaLedger;
import io.millrace.meta.tree.Quotas;
import io.millrace.meta.tree.TreeWriter;
import io.millrace.proto.CommandResult;
import io.millrace.proto.PutQuota;
import io.millrace.proto.QuotaRecord;
import io.millrace.proto.RemoveQuota;

/** Quotas begin, change and end. Their ids are never given twice. */
public final class QuotaOps {
  private static final int QUOTAS_MAX = 10_000;

  private QuotaOps() {}

  public static CommandResult.Builder put(Scope scope, PutQuota op) {
    QuotaRecord given = op.getQuota();
    if (given.getBytesLimit() < 0 || given.getFilesLimit() < 0) {
      throw new FsException(Errno.EINVAL, "limit of a quota", "root", given.getRoot());
    }
    QuotaRecord quota = given.getId() == 0 ? made(scope, given) : changed(scope, given);
    scope.quota().put(quota);
    return Scope.done().setQuotaId(quota.getId());
  }

  private static QuotaRecord made(Scope scope, QuotaRecord given) {
    TreeWriter tree = scope.tree();
    Quotas quotas = tree.quotas();
    InodeState root = tree.directory(given.getRoot());
    if (quotas.rootedAt(root.quota, root.ino) != null) {
      throw new FsException(Errno.EEXIST, "directory has a quota", "inode", root.ino);
    }
    if (scope.trash().isInside(root)) {
      throw new FsException(Errno.EINVAL, "directory is in the trash", "inode", root.ino);
    }
    if (quotas.count() >= QUOTAS_MAX) {
      throw new FsException(Errno.ENOSPC, "too many quotas", "limit", QUOTAS_MAX);
    }
    int above = root.quota;
    root.quota = ++tree.counters().lastQuota;
    tree.save(root);
    tree.batch().put(Keys.quotaUsage(root.quota), QuotaCount.ZERO.encode());
    QuotaRecord quota =
        QuotaRecord.newBuilder()
            .setId(root.quota)
            .setRoot(root.ino)
            .setBytesLimit(given.getBytesLimit())
            .setFilesLimit(given.getFilesLimit())
            .setParent(above)
            .setCounting(root.children > 0)
            .setCreatedNs(scope.now())
            .build();
    if (quota.getCounting()) {
      QuotaLedger.lookAt(tree.batch(), quota.getId(), root.ino);
    }
    return quota;
  }

  private static QuotaRecord changed(Scope scope, QuotaRecord given) {
    return existing(scope, given.getId()).toBuilder()
        .setBytesLimit(given.getBytesLimit())
        .setFilesLimit(given.getFilesLimit())
        .build();
  }

  /** Inodes keep its number, which stands for the quota around it from now on. */
  public static CommandResult.Builder remove(Scope scope, RemoveQuota op) {
    QuotaRecord quota = existing(scope, op.getId());
    scope.quota().remove(quota);
    return Scope.done().setQuotaId(quota.getId());
  }

  private static QuotaRecord existing(Scope scope, int id) {
    QuotaRecord quota = scope.tree().quotas().get(id);
    if (quota == null) {
      throw new FsException(Errno.ENOENT, "no such quota", "quota", id);
    }
    return quota;
  }
}
