package io.millrace.link;

import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.Semaphore;

/**
 * Off-heap memory for parts that are being uploaded, never more than its limit. Any thread; takers
 * wait while all is out. Buffers of the usual size are kept for the next taker.
 */
final class UploadBuffers implements AutoCloseable {
  private static final int UNIT = 1 << 20;

  /** Owned by one taker until closed. */
  record Buffer(MemorySegment bytes, Runnable back) implements AutoCloseable {
    @Override
    public void close() {
      back.run();
    }
  }

  private final Arena arena = Arena.ofShared();
  private final int usualBytes;
  private final int units;
  private final Semaphore free;
  private final Deque<MemorySegment> idle = new ArrayDeque<>();

  UploadBuffers(long limitBytes, int usualBytes) {
    this.usualBytes = usualBytes;
    this.units = Math.toIntExact(Math.max(1, limitBytes / UNIT));
    this.free = new Semaphore(units, true);
  }

  /**
   * @param length above the limit it takes all there is, alone
   */
  Buffer take(int length) {
    int cost = Math.clamp((Math.max(length, usualBytes) + UNIT - 1) / UNIT, 1, units);
    try {
      free.acquire(cost);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new FsException(e, Errno.EINTR, "interrupted while waiting for upload memory");
    }
    if (length > usualBytes) {
      return new Buffer(large(length), () -> free.release(cost));
    }
    MemorySegment usual = usual();
    return new Buffer(usual.asSlice(0, length), () -> giveBack(usual, cost));
  }

  /** Rare (files beyond 80 GB): the collector frees it. */
  private static MemorySegment large(int length) {
    return Arena.ofAuto().allocate(length, 64);
  }

  private synchronized MemorySegment usual() {
    MemorySegment kept = idle.poll();
    return kept != null ? kept : arena.allocate(usualBytes, 64);
  }

  private void giveBack(MemorySegment usual, int cost) {
    synchronized (this) {
      idle.push(usual);
    }
    free.release(cost);
  }

  @Override
  public void close() {
    arena.close();
  }
}
