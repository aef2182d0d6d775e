package io.millrace.fuse;

import java.lang.foreign.MemorySegment;

/**
 * A page-aligned region outside the heap, without pages until touched. Exists because arenas zero
 * (and so touch) what they hand out, and closing a shared one stops all threads. Whoever maps it
 * frees it, when no thread uses it any more.
 */
final class NativeMemory {
  static final int PAGE_BYTES = 4096;

  final MemorySegment segment;
  final long address;

  @SuppressWarnings("restricted")
  NativeMemory(CallState state, long lengthBytes) {
    this.address = Native.mapAnonymous(state, lengthBytes);
    this.segment = MemorySegment.ofAddress(address).reinterpret(lengthBytes);
  }

  void free(CallState state) {
    Native.unmap(state, address, segment.byteSize());
  }
}
