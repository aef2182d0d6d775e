package io.millrace.fuse;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Directory records as the kernel's parser expects them. */
class DirectoryBufferTest {
  private final DirectoryBuffers buffers = new DirectoryBuffers(1, 1 << 20);

  @AfterEach
  void free() {
    buffers.close();
  }

  @Test
  void recordsArePaddedToEightBytes() {
    try (DirectoryBuffer out = buffers.take(72, false)) {
      assertTrue(out.add(new byte[] {'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'}, 5, 9, 0100644));
      assertTrue(out.add(new byte[] {'i'}, 1L << 62, 10, 0040755));
      assertFalse(out.add(new byte[] {'j'}, 7, 11, 0040755));
      MemorySegment b = out.bytes();
      assertEquals(64, b.byteSize());
      assertEquals(9, b.get(Wire.U64, 0));
      assertEquals(5, b.get(Wire.U64, 8));
      assertEquals(8, b.get(Wire.U32, 16));
      assertEquals(8, b.get(Wire.U32, 20));
      assertEquals(10, b.get(Wire.U64, 32));
      assertEquals(1L << 62, b.get(Wire.U64, 40));
      assertEquals(1, b.get(Wire.U32, 48));
      assertEquals(4, b.get(Wire.U32, 52));
      assertEquals("i", b.getString(56));
    }
  }

  @Test
  void withAttributesEachRecordBeginsWithAnEntry() {
    try (DirectoryBuffer out = buffers.take(1000, true)) {
      EntryOut e = new EntryOut().nodeid(77);
      e.attributes().mode(0120777);
      assertTrue(out.add(new byte[] {'.'}, 1, 3, 0040755));
      assertTrue(out.add(new byte[] {'x', 'y', 'z'}, 1, 1, 9, e));
      MemorySegment b = out.bytes();
      assertEquals(2, out.entries());
      assertEquals(320, b.byteSize());
      assertEquals(0, b.get(Wire.U64, 0));
      assertEquals(3, b.get(Wire.U64, 128));
      assertEquals(77, b.get(Wire.U64, 160));
      assertEquals(77, b.get(Wire.U64, 160 + 128));
      assertEquals(10, b.get(Wire.U32, 160 + 128 + 20));
      assertEquals("y", b.getString(160 + 128 + 24));
      int second = out.nextEntry(out.firstEntry());
      assertEquals(77, out.nodeidAt(second));
      assertEquals(-1, out.nextEntry(second));
    }
  }

  @Test
  void aBufferThatIsUsedAgainHoldsNothingOfBefore() {
    DirectoryBuffer out = buffers.take(1000, false);
    out.add(new byte[] {'x', 'x', 'x', 'x', 'x', 'x', 'x'}, 1, 3, 0040755);
    out.close();
    out.close();
    DirectoryBuffer again = buffers.take(1000, false);
    assertTrue(again.isEmpty());
    again.add(new byte[] {'y'}, 1, 3, 0040755);
    assertEquals("y", again.bytes().getString(24));
    assertEquals(0, again.bytes().get(Wire.U32, 28));
    again.close();
  }
}
