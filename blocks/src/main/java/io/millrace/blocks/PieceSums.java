package io.millrace.blocks;

import java.lang.foreign.MemorySegment;

/**
 * CRC32C of each piece of a block, and of the block as a whole, from one pass over its bytes: the
 * sum of two ranges follows from those of each. Belongs to whoever made it.
 */
final class PieceSums {
  /** The generator polynomial, least significant bit first. */
  private static final int POLYNOMIAL = 0x82f63b78;

  private static final int ONE = 0x80000000;

  private final int[] pieces;
  private final int whole;

  private PieceSums(int[] pieces, int whole) {
    this.pieces = pieces;
    this.whole = whole;
  }

  static PieceSums of(MemorySegment bytes) {
    var pieces = new int[LargeTrailer.pieces(Math.toIntExact(bytes.byteSize()))];
    int shift = pieces.length < 2 ? ONE : shift(LargeTrailer.PIECE_BYTES);
    int whole = 0;
    for (int i = 0; i < pieces.length; i++) {
      MemorySegment piece = LargeTrailer.piece(bytes, i);
      pieces[i] = Crc32c.of(piece);
      boolean full = piece.byteSize() == LargeTrailer.PIECE_BYTES;
      whole = times(whole, full ? shift : shift(piece.byteSize())) ^ pieces[i];
    }
    return new PieceSums(pieces, whole);
  }

  /** Not copied: the caller only reads it. */
  int[] pieces() {
    return pieces;
  }

  int whole() {
    return whole;
  }

  /** What a sum is multiplied by when so many bytes follow: x to the power of their bits. */
  private static int shift(long byteCount) {
    int result = ONE;
    int power = ONE >>> 8; // x^8: one byte
    for (long left = byteCount; left != 0; left >>>= 1) {
      if ((left & 1) != 0) {
        result = times(result, power);
      }
      power = times(power, power);
    }
    return result;
  }

  /** Product of two polynomials over GF(2), modulo the generator; bit 31 is the constant term. */
  private static int times(int a, int b) {
    int product = 0;
    int shifted = b;
    for (int left = a; left != 0; left <<= 1) {
      if (left < 0) {
        product ^= shifted;
      }
      shifted = (shifted >>> 1) ^ (POLYNOMIAL & -(shifted & 1));
    }
    return product;
  }
}
