package io.millrace.meta.row;

import io.millrace.proto.Garbage;

/** Blocks that no inode refers to any more; FORMATS.md, "Namespace". */
public final class GarbageRow {
  private static final int RANGE = 0x11;
  private static final int WHOLE_VERSION = 0x12;

  private GarbageRow() {}

  public static byte[] range(long ino, long version, long streamOffset, long length) {
    return new RowWriter()
        .u8(RANGE)
        .varint(ino)
        .varint(version)
        .varint(streamOffset)
        .varint(length)
        .take();
  }

  public static byte[] wholeVersion(long ino, long version) {
    return new RowWriter().u8(WHOLE_VERSION).varint(ino).varint(version).take();
  }

  public static Garbage decode(byte[] key, byte[] value) {
    var row = new RowReader(value);
    boolean whole = row.format(RANGE, WHOLE_VERSION) == WHOLE_VERSION;
    var garbage =
        Garbage.newBuilder()
            .setSeq(new RowReader(key, 1).u64())
            .setIno(row.varint())
            .setVersion(row.varint())
            .setWholeVersion(whole);
    if (!whole) {
      garbage.setStreamOffset(row.varint()).setLength(row.varint());
    }
    return garbage.build();
  }
}
