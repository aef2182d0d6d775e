package io.millrace.fuse;

import java.lang.foreign.MemorySegment;

/**
 * The data of one WRITE, handed over by the worker without a copy. Whoever took it must {@link
 * #close} it once, from any thread; the memory is used for another request after that. Their number
 * is limited: workers wait for them.
 */
public final class PayloadBuffer implements AutoCloseable {
  private final PayloadBuffers home;
  private final RequestMemory memory;
  private final int size;
  private boolean closed;

  PayloadBuffer(PayloadBuffers home, RequestMemory memory, int size) {
    this.home = home;
    this.memory = memory;
    this.size = size;
  }

  /** The bytes to be written; native memory, page-aligned, valid until {@link #close}. */
  public MemorySegment data() {
    return memory.segment().asSlice(RequestMemory.WRITE_DATA, size);
  }

  public int size() {
    return size;
  }

  @Override
  public synchronized void close() {
    if (!closed) {
      closed = true;
      home.giveBack(memory);
    }
  }
}
