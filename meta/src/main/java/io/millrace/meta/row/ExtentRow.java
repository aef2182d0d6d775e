package io.millrace.meta.row;

import io.millrace.proto.Extent;

/** Values of extent rows (by file offset) and stream rows (by version and stream offset). */
public final class ExtentRow {
  private static final int FORMAT = 1;

  private ExtentRow() {}

  public static byte[] byFile(Extent extent) {
    return new RowWriter(24)
        .u8(FORMAT)
        .varint(extent.getLength())
        .varint(extent.getVersion())
        .varint(extent.getStreamOffset())
        .take();
  }

  public static byte[] byStream(Extent extent) {
    return new RowWriter(16).u8(FORMAT).varint(extent.getLength()).take();
  }

  public static Extent decode(byte[] key, byte[] value) {
    var row = new RowReader(value);
    row.format(FORMAT);
    return Extent.newBuilder()
        .setFileOffset(new RowReader(key, 9).u64())
        .setLength(row.varint())
        .setVersion(row.varint())
        .setStreamOffset(row.varint())
        .build();
  }

  public static long streamOffset(byte[] streamKey) {
    return new RowReader(streamKey, 17).u64();
  }

  public static long streamLength(byte[] value) {
    var row = new RowReader(value);
    row.format(FORMAT);
    return row.varint();
  }
}
