package io.millrace.client;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.function.Consumer;
import java.util.function.LongConsumer;

/**
 * The inodes the kernel may hold, so that a process that takes the mount over can tell it to forget
 * them: a log of numbers, written anew when it is mostly of inodes that are gone. Any thread.
 *
 * <p>Invariant: an inode the kernel holds is in one of the two areas; while the log is written
 * anew, both count.
 */
public final class HeldNodes {
  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
  private static final long ACTIVE = 0;
  private static final long USED = 8;
  private static final long HEADER_BYTES = 32;
  private static final long SLACK = 64 << 10;

  private final MemorySegment memory;
  private final Runnable overflow;
  private final long capacity;
  private volatile boolean full;

  /**
   * @param overflow an inode could not be noted
   */
  HeldNodes(MemorySegment memory, Runnable overflow) {
    this.memory = memory;
    this.overflow = overflow;
    this.capacity = Math.max(0, (memory.byteSize() - HEADER_BYTES) / 2 / Long.BYTES);
  }

  /** Before the kernel learns of the inode. */
  public void add(long ino) {
    if (capacity == 0) {
      return;
    }
    synchronized (this) {
      long area = memory.get(LONG, ACTIVE);
      long used = used(area);
      if (used < capacity) {
        memory.set(LONG, at(area, used), ino);
        memory.set(LONG, USED + area * Long.BYTES, used + 1);
        return;
      }
    }
    if (!full) {
      full = true;
      overflow.run();
    }
  }

  private long used(long area) {
    return memory.get(LONG, USED + area * Long.BYTES);
  }

  private long at(long area, long index) {
    return HEADER_BYTES + (area * capacity + index) * Long.BYTES;
  }

  /** Whether the log is mostly of inodes that are gone. */
  public boolean isLoose(long heldNow) {
    return capacity > 0 && usedNow() > Math.min(capacity / 2, 2 * heldNow + SLACK);
  }

  private synchronized long usedNow() {
    return used(memory.get(LONG, ACTIVE));
  }

  /**
   * Begins anew.
   *
   * @param all gives every inode held to what it is given, those that come meanwhile or not
   */
  public void rewrite(Consumer<LongConsumer> all) {
    long old;
    synchronized (this) {
      old = memory.get(LONG, ACTIVE);
      memory.set(LONG, USED + (1 - old) * Long.BYTES, 0L);
      memory.set(LONG, ACTIVE, 1 - old);
    }
    all.accept(this::add);
    synchronized (this) {
      memory.set(LONG, USED + old * Long.BYTES, 0L);
    }
  }

  /** What a process before this one noted, some of it more than once. */
  public void forEach(LongConsumer visitor) {
    if (capacity == 0) {
      return;
    }
    for (long area = 0; area < 2; area++) {
      long used = used(area);
      for (long i = 0; i < used; i++) {
        visitor.accept(memory.get(LONG, at(area, i)));
      }
    }
  }
}
