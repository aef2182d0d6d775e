package io.millrace.blocks;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.Arena;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The sum put together from pieces is that of one pass over all. */
final class PieceSumsTest {
  private static final int PIECE = LargeTrailer.PIECE_BYTES;

  @ParameterizedTest
  @ValueSource(
      ints = {1, 7, 4096, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE, 5 * PIECE + 4097, 4 << 20})
  void wholeFollowsFromPieces(int length) {
    try (Arena arena = Arena.ofConfined()) {
      var bytes = arena.allocate(length);
      var random = new byte[length];
      new Random(length).nextBytes(random);
      bytes.copyFrom(java.lang.foreign.MemorySegment.ofArray(random));
      PieceSums sums = PieceSums.of(bytes);
      assertEquals(Crc32c.of(bytes), sums.whole());
      for (int i = 0; i < sums.pieces().length; i++) {
        assertEquals(Crc32c.of(LargeTrailer.piece(bytes, i)), sums.pieces()[i]);
      }
    }
  }
}
