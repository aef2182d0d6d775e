package io.millrace.blocks;

import io.millrace.core.api.BlockId;
import io.millrace.core.api.BlockStore.Kind;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Names a block where its bytes lie: before them in a segment file, after them (in the trailer) in
 * a file of its own. 64 bytes, little-endian; FORMATS.md, Blocks. Kind is as it was first stored.
 */
record RecordHeader(BlockId id, Kind kind, int length, int crc32c) {
  static final int SIZE_BYTES = 64;

  private static final int MAGIC_VALUE = 0x4b4c424d; // "MBLK"
  private static final byte FORMAT_VALUE = 1;
  private static final ValueLayout.OfInt U32 =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong U64 =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfByte U8 = ValueLayout.JAVA_BYTE;
  private static final long MAGIC = 0;
  private static final long FORMAT = 4;
  private static final long KIND = 5;
  private static final long INO = 8;
  private static final long VERSION = 16;
  private static final long INDEX = 24;
  private static final long LENGTH = 28;
  private static final long DATA_CRC = 32;
  private static final long HEADER_CRC = 60;

  void encode(MemorySegment target) {
    target.asSlice(0, SIZE_BYTES).fill((byte) 0);
    target.set(U32, MAGIC, MAGIC_VALUE);
    target.set(U8, FORMAT, FORMAT_VALUE);
    target.set(U8, KIND, KindCode.of(kind));
    target.set(U64, INO, id.ino());
    target.set(U64, VERSION, id.version());
    target.set(U32, INDEX, id.index());
    target.set(U32, LENGTH, length);
    target.set(U32, DATA_CRC, crc32c);
    target.set(U32, HEADER_CRC, Crc32c.of(target.asSlice(0, HEADER_CRC)));
  }

  /** The header, or null where these bytes are none (torn, damaged, or something else). */
  static RecordHeader decode(MemorySegment source) {
    if (source.byteSize() < SIZE_BYTES
        || source.get(U32, MAGIC) != MAGIC_VALUE
        || source.get(U8, FORMAT) != FORMAT_VALUE
        || source.get(U32, HEADER_CRC) != Crc32c.of(source.asSlice(0, HEADER_CRC))) {
      return null;
    }
    var id = new BlockId(source.get(U64, INO), source.get(U64, VERSION), source.get(U32, INDEX));
    Kind kind = KindCode.kind(source.get(U8, KIND));
    return new RecordHeader(id, kind, source.get(U32, LENGTH), source.get(U32, DATA_CRC));
  }
}
