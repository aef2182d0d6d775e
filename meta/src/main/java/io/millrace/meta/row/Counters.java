package io.millrace.meta.row;

/**
 * Numbers the state machine gives out, and the index of the last applied command, written in the
 * same batch as the effects. Mutable, owned by the journal's thread. FORMATS.md, "Namespace".
 */
public final class Counters {
  private static final int FORMAT = 1;
  private static final int WITH_QUOTA = 2;

  public long applied;
  public long lastInode;
  public long inodes;
  public long lastGarbage;
  public long lastTask;
  public int lastLink;
  public int lastSession;
  public int lastQuota;

  public byte[] encode() {
    var row = new RowWriter();
    row.u8(lastQuota == 0 ? FORMAT : WITH_QUOTA)
        .varint(applied)
        .varint(lastInode)
        .varint(inodes)
        .varint(lastGarbage)
        .varint(lastTask)
        .varint(lastLink)
        .varint(lastSession);
    return lastQuota == 0 ? row.take() : row.varint(lastQuota).take();
  }

  public static Counters decode(byte[] value) {
    var row = new RowReader(value);
    int format = row.format(FORMAT, WITH_QUOTA);
    var counters = new Counters();
    counters.applied = row.varint();
    counters.lastInode = row.varint();
    counters.inodes = row.varint();
    counters.lastGarbage = row.varint();
    counters.lastTask = row.varint();
    counters.lastLink = row.smallVarint();
    counters.lastSession = row.smallVarint();
    counters.lastQuota = format == WITH_QUOTA ? row.smallVarint() : 0;
    return counters;
  }

  public Counters copy() {
    return decode(encode());
  }
}
