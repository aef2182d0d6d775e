package io.millrace.link;

import io.millrace.core.api.Pinned;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/** A block that several hold; the last to let go closes it. Any thread. */
final class SharedBlock {
  private final Pinned block;
  private final AtomicInteger holders;

  SharedBlock(Pinned block, int holders) {
    this.block = block;
    this.holders = new AtomicInteger(holders);
  }

  void release() {
    if (holders.decrementAndGet() == 0) {
      block.close();
    }
  }

  /** One holder's part of it. */
  Pinned share(int offset, int length) {
    return new Share(this, block.bytes().asSlice(offset, length), new AtomicBoolean());
  }

  private record Share(SharedBlock whole, MemorySegment bytes, AtomicBoolean closed)
      implements Pinned {
    @Override
    public void close() {
      if (!closed.getAndSet(true)) {
        whole.release();
      }
    }
  }
}
