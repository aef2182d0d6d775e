package io.millrace.client;

import io.millrace.proto.WrittenBlock;
import java.lang.foreign.MemorySegment;
import java.util.zip.CRC32C;

/** The checksum a writer puts on its blocks, made over the memory that is sent (tenet 1). */
final class Checksums {
  private Checksums() {}

  static int crc32c(MemorySegment bytes) {
    var crc = new CRC32C();
    crc.update(bytes.asByteBuffer());
    return (int) crc.getValue();
  }

  static WrittenBlock block(int index, MemorySegment bytes) {
    return WrittenBlock.newBuilder()
        .setIndex(index)
        .setLength((int) bytes.byteSize())
        .setCrc32C(crc32c(bytes))
        .build();
  }
}
