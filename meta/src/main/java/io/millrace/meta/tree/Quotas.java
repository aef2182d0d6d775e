package io.millrace.meta.tree;

import io.millrace.meta.row.Keys;
import io.millrace.meta.row.MessageRow;
import io.millrace.meta.store.Rows;
import io.millrace.proto.QuotaRecord;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The quotas that exist, and of removed ones what took their place: so a quota of a million files
 * is removed in one step. Immutable.
 */
public record Quotas(Map<Integer, QuotaRecord> byId) {

  public static Quotas load(Rows rows) {
    var quotas = new TreeMap<Integer, QuotaRecord>();
    try (Rows.Cursor row = rows.scan(Keys.quotas(), Keys.after(Keys.quotas()))) {
      while (row.next()) {
        QuotaRecord quota = MessageRow.decode(row.value(), QuotaRecord.parser());
        quotas.put(quota.getId(), quota);
      }
    }
    return new Quotas(Collections.unmodifiableMap(quotas));
  }

  /** Null for none, and for a removed one. */
  public QuotaRecord get(int id) {
    QuotaRecord quota = id == 0 ? null : byId.get(id);
    return quota == null || quota.getRemoved() ? null : quota;
  }

  /** The quota that what carries this id counts in. */
  public int live(int id) {
    int at = id;
    while (at != 0) {
      QuotaRecord quota = byId.get(at);
      if (quota == null) {
        return 0;
      }
      if (!quota.getRemoved()) {
        return at;
      }
      at = quota.getParent();
    }
    return 0;
  }

  /** The quota around this one; 0 for none. */
  public int above(int id) {
    return live(byId.get(id).getParent());
  }

  /** Removed quotas that this one stands for now and whose own count was not done yet. */
  public List<QuotaRecord> uncounted(int id) {
    return byId.values().stream()
        .filter(quota -> quota.getRemoved() && quota.getCounting() && live(quota.getId()) == id)
        .toList();
  }

  /** The quota that a directory is the root of; null for none. */
  public QuotaRecord rootedAt(int idOfDirectory, long dir) {
    QuotaRecord quota = get(idOfDirectory);
    return quota != null && quota.getRoot() == dir ? quota : null;
  }

  public long count() {
    return byId.values().stream().filter(quota -> !quota.getRemoved()).count();
  }

  public Quotas with(QuotaRecord quota) {
    var more = new TreeMap<>(byId);
    more.put(quota.getId(), quota);
    return new Quotas(Collections.unmodifiableMap(more));
  }

  public Quotas without(int id) {
    var fewer = new TreeMap<>(byId);
    fewer.remove(id);
    return new Quotas(Collections.unmodifiableMap(fewer));
  }
}
