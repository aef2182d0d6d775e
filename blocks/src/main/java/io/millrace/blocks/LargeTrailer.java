package io.millrace.blocks;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * What follows the bytes of a block in a file of its own: the CRC32C of each piece of 64 KiB, a
 * CRC32C of those, and the {@link RecordHeader}. So a range is verified without reading the rest.
 * FORMATS.md, Blocks.
 */
final class LargeTrailer {
  static final int PIECE_BYTES = 64 << 10;
  private static final ValueLayout.OfInt U32 =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final RecordHeader header;
  private final int[] pieceCrcs;

  private LargeTrailer(RecordHeader header, int[] pieceCrcs) {
    this.header = header;
    this.pieceCrcs = pieceCrcs;
  }

  RecordHeader header() {
    return header;
  }

  static LargeTrailer of(RecordHeader header, PieceSums sums) {
    return new LargeTrailer(header, sums.pieces());
  }

  static int sizeBytes(int blockLength) {
    return (pieces(blockLength) + 1) * Integer.BYTES + RecordHeader.SIZE_BYTES;
  }

  static long fileBytes(int blockLength) {
    return (long) blockLength + sizeBytes(blockLength);
  }

  void encode(MemorySegment target) {
    long end = (long) pieceCrcs.length * Integer.BYTES;
    for (int i = 0; i < pieceCrcs.length; i++) {
      target.set(U32, (long) i * Integer.BYTES, pieceCrcs[i]);
    }
    target.set(U32, end, Crc32c.of(target.asSlice(0, end)));
    header.encode(target.asSlice(end + Integer.BYTES));
  }

  /** The trailer, or null where it is damaged. */
  static LargeTrailer decode(MemorySegment source, int blockLength) {
    long end = (long) pieces(blockLength) * Integer.BYTES;
    RecordHeader header = RecordHeader.decode(source.asSlice(end + Integer.BYTES));
    if (header == null
        || header.length() != blockLength
        || source.get(U32, end) != Crc32c.of(source.asSlice(0, end))) {
      return null;
    }
    var crcs = new int[pieces(blockLength)];
    for (int i = 0; i < crcs.length; i++) {
      crcs[i] = source.get(U32, (long) i * Integer.BYTES);
    }
    return new LargeTrailer(header, crcs);
  }

  /**
   * @param bytes of the block from the start of piece {@code first}, whole pieces
   */
  boolean holds(MemorySegment bytes, int first) {
    for (int i = 0; i < pieces((int) bytes.byteSize()); i++) {
      if (Crc32c.of(piece(bytes, i)) != pieceCrcs[first + i]) {
        return false;
      }
    }
    return true;
  }

  static int pieces(int length) {
    return (length + PIECE_BYTES - 1) / PIECE_BYTES;
  }

  static MemorySegment piece(MemorySegment bytes, int index) {
    long from = (long) index * PIECE_BYTES;
    return bytes.asSlice(from, Math.min(PIECE_BYTES, bytes.byteSize() - from));
  }
}
