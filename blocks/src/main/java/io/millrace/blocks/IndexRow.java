package io.millrace.blocks;

import io.millrace.core.api.BlockId;
import io.millrace.core.api.BlockStore.Kind;
import java.nio.ByteBuffer;

/**
 * One row of the index: where a block is and how it is kept. Key: id, big-endian, 20 bytes; value:
 * 32 bytes, big-endian; FORMATS.md, Blocks.
 *
 * @param file number of a segment file or of the block's own file
 * @param offset of the record's header in the segment; 0 in a file of its own
 * @param usedHour hours since 1970 in which it was last read or stored
 */
record IndexRow(
    Kind kind, boolean large, long file, int offset, int length, int crc32c, int usedHour) {
  static final int KEY_BYTES = 20;
  private static final int VALUE_BYTES = 32;
  private static final byte FORMAT = 1;

  IndexRow withKind(Kind changed) {
    return new IndexRow(changed, large, file, offset, length, crc32c, usedHour);
  }

  IndexRow withUsedHour(int hour) {
    return new IndexRow(kind, large, file, offset, length, crc32c, hour);
  }

  IndexRow movedTo(SegmentFiles.Place place) {
    return new IndexRow(kind, large, place.segment(), place.offset(), length, crc32c, usedHour);
  }

  boolean samePlace(IndexRow other) {
    return large == other.large && file == other.file && offset == other.offset;
  }

  /** Bytes of disk this block takes. */
  long diskBytes() {
    return large ? LargeTrailer.fileBytes(length) : SegmentFiles.recordBytes(length);
  }

  byte[] encode() {
    return ByteBuffer.allocate(VALUE_BYTES)
        .put(FORMAT)
        .put(KindCode.of(kind))
        .put((byte) (large ? 1 : 0))
        .put((byte) 0)
        .putInt(usedHour)
        .putLong(file)
        .putInt(offset)
        .putInt(length)
        .putInt(crc32c)
        .array();
  }

  static IndexRow decode(byte[] value) {
    var source = ByteBuffer.wrap(value);
    if (value.length != VALUE_BYTES || source.get() != FORMAT) {
      throw new IndexDamage("unknown format of a row");
    }
    Kind kind = KindCode.kind(source.get());
    boolean large = source.get() == 1;
    source.get();
    int usedHour = source.getInt();
    long file = source.getLong();
    return new IndexRow(
        kind, large, file, source.getInt(), source.getInt(), source.getInt(), usedHour);
  }

  static byte[] key(BlockId id) {
    return key(id.ino(), id.version(), id.index());
  }

  static byte[] key(long ino, long version, int index) {
    return ByteBuffer.allocate(KEY_BYTES).putLong(ino).putLong(version).putInt(index).array();
  }

  static BlockId id(byte[] key) {
    var source = ByteBuffer.wrap(key);
    return new BlockId(source.getLong(), source.getLong(), source.getInt());
  }
}
