package io.millrace.testkit.model;

import java.lang.foreign.MemorySegment;
import java.util.HexFormat;
import java.util.zip.CRC32C;

/** Checksums of what was read, short enough for a message. */
final class Digests {
  private Digests() {}

  static String of(MemorySegment bytes) {
    var crc = new CRC32C();
    crc.update(bytes.asByteBuffer());
    return HexFormat.of().toHexDigits((int) crc.getValue());
  }
}
