package io.millrace.client.mount;

import io.millrace.client.ReadSink;
import io.millrace.core.api.FsException;
import io.millrace.fuse.DetachedReply;
import java.lang.foreign.MemorySegment;

/** Bytes go from where they lie to the kernel. */
record KernelSink(DetachedReply kernel) implements ReadSink {
  @Override
  public void bytes(MemorySegment[] parts, int count) {
    kernel.data(parts, count);
  }

  @Override
  public void failed(FsException failure) {
    kernel.fail(failure);
  }
}
