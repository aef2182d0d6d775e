package io.millrace.meta.audit;

import io.millrace.meta.audit.Finding.Kind;
import io.millrace.meta.row.Counters;
import io.millrace.meta.row.InodeState;
import io.millrace.meta.row.Keys;
import io.millrace.meta.row.QuotaCount;
import io.millrace.meta.row.RowReader;
import io.millrace.meta.tree.QuotaLedger;
import io.millrace.proto.QuotaRecord;
import java.util.Map;
import java.util.TreeMap;

/** Counts again what quotas limit, and compares. Keeps one count per quota. */
final class QuotaAudit {
  private final AuditView view;
  private final Map<Integer, QuotaCount> counts = new TreeMap<>();

  QuotaAudit(AuditView view) {
    this.view = view;
  }

  /** Each inode once. */
  void inode(InodeState inode) {
    for (int at = holder(inode); at != 0; at = view.quotas.above(at)) {
      counts.merge(
          at, new QuotaCount(inode.size, 1), (sum, one) -> sum.plus(one.bytes(), one.files()));
    }
  }

  private int holder(InodeState inode) {
    int live = view.quotas.live(inode.quota);
    boolean isRoot = inode.isDirectory() && view.quotas.rootedAt(live, inode.ino) != null;
    return isRoot ? view.quotas.above(live) : live;
  }

  /** Each entry of each directory: it counts where the directory's entries do. */
  void entry(InodeState dir, InodeState inode) {
    int expected = view.quotas.live(dir.quota);
    boolean several = !inode.isDirectory() && inode.nlink > 1;
    boolean trash = inode.ino == view.trashes.home();
    if (several || trash || holder(inode) == expected) {
      return;
    }
    QuotaRecord quota = view.quotas.get(expected);
    if (quota != null && quota.getCounting()) {
      return; // not yet
    }
    view.report(
        Kind.QUOTA_MEMBER,
        inode.ino,
        "counts in quota %d, its directory's entries in %d".formatted(holder(inode), expected),
        desk -> recount(desk, quota, dir.ino, inode.ino));
  }

  /** The node counts the directory's entries anew; counts may be a finding of the next look. */
  private static void recount(RepairDesk desk, QuotaRecord quota, long dir, long ino) {
    var ledger = new QuotaLedger(desk.tree());
    if (quota == null) {
      InodeState wrong = desk.tree().existing(ino);
      ledger.released(wrong);
      desk.tree().save(wrong);
    } else {
      QuotaLedger.lookAt(desk.batch(), quota.getId(), dir);
      ledger.put(desk.tree().quotas().get(quota.getId()).toBuilder().setCounting(true).build());
    }
  }

  void run() {
    int last = 0;
    for (QuotaRecord quota : view.quotas.byId().values()) {
      last = Math.max(last, quota.getId());
      if (!quota.getRemoved()) {
        root(quota);
        count(quota.getId());
      }
    }
    view.each(Keys.quotaUsages(), (key, value) -> owned(key));
    view.each(Keys.quotaWork(), (key, value) -> owned(key));
    int highest = last;
    if (Counters.decode(view.rows.get(Keys.counters())).lastQuota < highest) {
      view.report(
          Kind.COUNTER,
          0,
          "quota " + highest + " was given out already",
          desk -> desk.counters().lastQuota = highest);
    }
  }

  private void root(QuotaRecord quota) {
    InodeState root = view.row(quota.getRoot());
    boolean right =
        root != null && root.isDirectory() && view.quotas.live(root.quota) == quota.getId();
    if (!right) {
      view.report(
          Kind.QUOTA_ROOT,
          quota.getRoot(),
          "is not the root of quota " + quota.getId(),
          desk -> new QuotaLedger(desk.tree()).remove(quota));
    }
  }

  private void count(int quota) {
    QuotaCount is = QuotaCount.decode(view.rows.get(Keys.quotaUsage(quota)));
    QuotaCount right = counts.getOrDefault(quota, QuotaCount.ZERO);
    if (!is.equals(right)) {
      view.report(
          Kind.QUOTA_COUNT,
          view.quotas.get(quota).getRoot(),
          "quota %d counts %d bytes, %d files; has %d, %d"
              .formatted(quota, is.bytes(), is.files(), right.bytes(), right.files()),
          desk -> desk.batch().put(Keys.quotaUsage(quota), right.encode()));
    }
  }

  private void owned(byte[] key) {
    int quota = new RowReader(key, 1).u32();
    QuotaRecord record = view.quotas.byId().get(quota);
    boolean used = record != null && (!record.getRemoved() || record.getCounting());
    if (!used) {
      view.report(
          Kind.QUOTA_ROOT,
          0,
          "a row '" + (char) key[0] + "' of quota " + quota + ", which is gone",
          desk -> desk.batch().delete(key));
    }
  }
}
