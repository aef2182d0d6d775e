package io.millrace.meta.tree;

import io.millrace.meta.row.Keys;
import io.millrace.meta.row.MessageRow;
import io.millrace.meta.store.Rows;
import io.millrace.proto.TrashRecord;
import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;

/** The directories whose deleted files are kept, by inode. Immutable. */
public record Trashes(Map<Long, TrashRecord> byRoot) {
  private static final long HOME = 0;

  public static Trashes load(Rows rows) {
    var trashes = new TreeMap<Long, TrashRecord>();
    try (Rows.Cursor row = rows.scan(Keys.trashes(), Keys.after(Keys.trashes()))) {
      while (row.next()) {
        TrashRecord trash = MessageRow.decode(row.value(), TrashRecord.parser());
        trashes.put(trash.getRoot(), trash);
      }
    }
    return new Trashes(Collections.unmodifiableMap(trashes));
  }

  /** The inode of /.trash; 0: nothing was ever kept. */
  public long home() {
    TrashRecord home = byRoot.get(HOME);
    return home == null ? 0 : home.getBin();
  }

  /** Null for none, kept or not any more. */
  public TrashRecord get(long root) {
    return root == HOME ? null : byRoot.get(root);
  }

  /** Whether a directory must stay where it is: /.trash, or one right in it. */
  public boolean holds(long dir) {
    return byRoot.values().stream().anyMatch(trash -> trash.getBin() == dir);
  }

  public Trashes with(TrashRecord trash) {
    var more = new TreeMap<>(byRoot);
    more.put(trash.getRoot(), trash);
    return new Trashes(Collections.unmodifiableMap(more));
  }

  public Trashes without(long root) {
    var fewer = new TreeMap<>(byRoot);
    fewer.remove(root);
    return new Trashes(Collections.unmodifiableMap(fewer));
  }
}
