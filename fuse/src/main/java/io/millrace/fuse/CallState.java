package io.millrace.fuse;

import java.lang.foreign.Arena;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.invoke.VarHandle;

/**
 * Where a native call leaves its errno. Exists so that no call allocates: each thread that calls
 * often keeps one. Used by one thread at a time; the value is that of the last call made with it.
 */
final class CallState {
  private static final StructLayout LAYOUT = Linker.Option.captureStateLayout();
  private static final VarHandle ERRNO =
      LAYOUT.varHandle(MemoryLayout.PathElement.groupElement("errno"));

  final MemorySegment segment;

  /** The segment lives as long as this object. */
  CallState() {
    this.segment = Arena.ofAuto().allocate(LAYOUT);
  }

  int errno() {
    return (int) ERRNO.get(segment, 0L);
  }

  /** A native result as the kernel itself gives it: the value, or minus the errno. */
  long result(long value) {
    return value >= 0 ? value : -errno();
  }

  int result(int value) {
    return value >= 0 ? value : -errno();
  }
}
