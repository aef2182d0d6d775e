package io.millrace.meta.row;

/**
 * Where something in the trash was, and when it was deleted. FORMATS.md, "Namespace".
 *
 * @param dir its directory, which may be in the trash itself or gone
 */
@SuppressWarnings("ArrayRecordComponent")
public record TrashedRow(long dir, byte[] name, long deletedNs) {
  private static final int FORMAT = 1;

  public static TrashedRow decode(byte[] value) {
    var row = new RowReader(value);
    row.format(FORMAT);
    long dir = row.varint();
    long deletedNs = row.time();
    return new TrashedRow(dir, row.rest(), deletedNs);
  }

  public byte[] encode() {
    return new RowWriter(name.length + 24).u8(FORMAT).varint(dir).time(deletedNs).rest(name).take();
  }
}
