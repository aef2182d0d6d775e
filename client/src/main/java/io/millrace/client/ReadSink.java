package io.millrace.client;

import io.millrace.core.api.FsException;
import java.lang.foreign.MemorySegment;

/** Where a read's bytes go. Exactly one of the two, once, on any thread; must not block. */
public interface ReadSink {
  /** The bytes, in order; theirs only until this returns. Fewer than asked: the file ends. */
  void bytes(MemorySegment[] parts, int count);

  void failed(FsException failure);
}
