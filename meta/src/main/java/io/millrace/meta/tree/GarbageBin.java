package io.millrace.meta.tree;

import io.millrace.meta.row.GarbageRow;
import io.millrace.meta.row.Keys;

/** Records blocks that nothing refers to any more, for the collector. Journal's thread only. */
public final class GarbageBin {
  private final TreeWriter tree;

  public GarbageBin(TreeWriter tree) {
    this.tree = tree;
  }

  public void wholeVersion(long ino, long version) {
    put(GarbageRow.wholeVersion(ino, version));
  }

  public void range(long ino, long version, long streamOffset, long length) {
    put(GarbageRow.range(ino, version, streamOffset, length));
  }

  private void put(byte[] row) {
    tree.batch().put(Keys.garbage(++tree.counters().lastGarbage), row);
  }
}
