package io.millrace.client;

import io.millrace.core.api.Pinned;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Pinned bytes with several users: the last to let go closes them. Any thread; the bytes may be
 * touched only between a {@link #retain} that gave true and its {@link #release}.
 */
final class SharedPin {
  private final Pinned pinned;
  private final AtomicInteger users = new AtomicInteger(1);

  SharedPin(Pinned pinned) {
    this.pinned = pinned;
  }

  /** False where it is closed already. */
  boolean retain() {
    for (int n = users.get(); n > 0; n = users.get()) {
      if (users.compareAndSet(n, n + 1)) {
        return true;
      }
    }
    return false;
  }

  void release() {
    if (users.decrementAndGet() == 0) {
      pinned.close();
    }
  }

  MemorySegment bytes() {
    return pinned.bytes();
  }
}
