package io.millrace.meta.row;

/**
 * Numbers the state machine gives out, and the index of the last applied command, written in the
 * same batch as the effects. Mutable, owned by the journal's thread. FORMATS.md, "Namespace".
 */
public final class Counters {
  private static final int FORMAT = 1;

  public long applied;
  public long lastInode;
  public long inodes;
  public long lastGarbage;
  public long lastTask;
  public int lastLink;
  public int lastSession;

  public byte[] encode() {
    return new RowWriter()
        .u8(FORMAT)
        .varint(applied)
        .varint(lastInode)
        .varint(inodes)
        .varint(lastGarbage)
        .varint(lastTask)
        .varint(lastLink)
        .varint(lastSession)
        .take();
  }

  public static Counters decode(byte[] value) {
    var row = new RowReader(value);
    row.format(FORMAT);
    var counters = new Counters();
    counters.applied = row.varint();
    counters.lastInode = row.varint();
    counters.inodes = row.varint();
    counters.lastGarbage = row.varint();
    counters.lastTask = row.varint();
    counters.lastLink = row.smallVarint();
    counters.lastSession = row.smallVarint();
    return counters;
  }

  public Counters copy() {
    return decode(encode());
  }
}
