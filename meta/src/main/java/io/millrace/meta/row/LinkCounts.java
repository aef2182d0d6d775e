package io.millrace.meta.row;

/**
 * What a link counts: the last sequence number of its queue, rows in the queue, tombstones.
 * FORMATS.md, "Namespace".
 */
public record LinkCounts(long lastSeq, long pending, long tombstones) {
  private static final int FORMAT = 1;
  public static final LinkCounts ZERO = new LinkCounts(0, 0, 0);

  public static LinkCounts decode(byte[] value) {
    if (value == null) {
      return ZERO;
    }
    var row = new RowReader(value);
    row.format(FORMAT);
    return new LinkCounts(row.varint(), row.varint(), row.varint());
  }

  public byte[] encode() {
    return new RowWriter().u8(FORMAT).varint(lastSeq).varint(pending).varint(tombstones).take();
  }

  public LinkCounts appended() {
    return new LinkCounts(lastSeq + 1, pending + 1, tombstones);
  }

  public LinkCounts removed() {
    return new LinkCounts(lastSeq, pending - 1, tombstones);
  }

  public LinkCounts buried(int more) {
    return new LinkCounts(lastSeq, pending, tombstones + more);
  }
}
