package io.millrace.blocks;

import java.lang.foreign.MemorySegment;
import java.util.zip.CRC32C;

/** CRC32C of off-heap bytes. */
final class Crc32c {
  private Crc32c() {}

  static int of(MemorySegment bytes) {
    var crc = new CRC32C();
    crc.update(bytes.asByteBuffer());
    return (int) crc.getValue();
  }
}
