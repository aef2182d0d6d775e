package io.millrace.fuse;

import java.lang.foreign.MemorySegment;

/**
 * The region a worker reads one request into, placed so that the data of a WRITE begins on a page.
 */
final class RequestMemory {
  private static final int START =
      NativeMemory.PAGE_BYTES - Wire.InHeader.BYTES - Wire.WriteRequest.BYTES;

  /** Offset of WRITE data from the start of the request. */
  static final int WRITE_DATA = Wire.InHeader.BYTES + Wire.WriteRequest.BYTES;

  private final NativeMemory memory;
  private final MemorySegment segment;

  RequestMemory(CallState state, int maxWriteBytes) {
    this.memory = new NativeMemory(state, maxWriteBytes + 2L * NativeMemory.PAGE_BYTES);
    this.segment = memory.segment.asSlice(START);
  }

  MemorySegment segment() {
    return segment;
  }

  long address() {
    return memory.address + START;
  }

  long capacity() {
    return segment.byteSize();
  }

  void free(CallState state) {
    memory.free(state);
  }
}
