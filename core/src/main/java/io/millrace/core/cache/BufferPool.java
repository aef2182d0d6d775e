package io.millrace.core.cache;

import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import java.util.ArrayDeque;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Temporary off-heap buffers of up to 4 MiB under a hard byte limit: where content is held on its
 * way that no cache keeps. Who asks when all is out waits, first come first served (so a large
 * request is not starved by small ones). A thread that holds a buffer must not wait for another.
 */
public final class BufferPool implements AutoCloseable {

  /** Bytes out now, the limit, threads waiting now, and how many ever had to wait. */
  public record Stats(long usedBytes, long capacityBytes, int waiting, long waits) {}

  private final SlabSpace space;
  private final ReentrantLock lock = new ReentrantLock();
  private final ArrayDeque<Condition> queue = new ArrayDeque<>();
  private long waits;
  private boolean closed;
  private boolean regionClosed;

  /**
   * @param limitBytes at least 4 KiB
   */
  public BufferPool(long limitBytes) {
    space = new SlabSpace(limitBytes);
  }

  /**
   * Takes {@code length} bytes, contents unspecified. Blocks while the pool is exhausted.
   *
   * @throws FsException EINTR interrupted (the interrupt flag stays set); EINVAL longer than the
   *     pool can ever give
   */
  public Buffer take(int length) {
    try {
      return take(length, TimeUnit.DAYS.toNanos(365));
    } catch (InterruptedException interrupt) {
      Thread.currentThread().interrupt();
      throw new FsException(interrupt, Errno.EINTR, "interrupted while waiting for memory");
    }
  }

  /**
   * As {@link #take(int)}, for a bounded time.
   *
   * @return null: the time is over
   */
  public Buffer take(int length, long waitNanos) throws InterruptedException {
    if (length <= 0 || length > space.largestBytes()) {
      throw new FsException(
          Errno.EINVAL, "no such buffer", "bytes", length, "largest", space.largestBytes());
    }
    var buffer = new Buffer(this);
    lock.lockInterruptibly();
    try {
      checkOpen();
      if (queue.isEmpty() && space.place(buffer, length)) {
        return buffer;
      }
      return await(buffer, length, waitNanos) ? buffer : null;
    } finally {
      lock.unlock();
    }
  }

  public Stats stats() {
    lock.lock();
    try {
      return new Stats(space.usedBytes(), space.capacityBytes(), queue.size(), waits);
    } finally {
      lock.unlock();
    }
  }

  /** Waiting threads get EIO; the memory goes back when the last buffer is closed. */
  @Override
  public void close() {
    lock.lock();
    try {
      closed = true;
      queue.forEach(Condition::signal);
      closeWhenUnused();
    } finally {
      lock.unlock();
    }
  }

  void free(Buffer buffer) {
    lock.lock();
    try {
      space.free(buffer);
      wakeFirst();
      closeWhenUnused();
    } finally {
      lock.unlock();
    }
  }

  private boolean await(Buffer buffer, int length, long waitNanos) throws InterruptedException {
    waits++;
    Condition turn = lock.newCondition();
    queue.addLast(turn);
    try {
      long left = waitNanos;
      while (left > 0) {
        left = turn.awaitNanos(left);
        checkOpen();
        if (turn.equals(queue.peekFirst()) && space.place(buffer, length)) {
          return true;
        }
      }
      return false;
    } finally {
      queue.remove(turn);
      wakeFirst();
    }
  }

  private void wakeFirst() {
    Condition first = queue.peekFirst();
    if (first != null) {
      first.signal();
    }
  }

  private void checkOpen() {
    if (closed) {
      throw new FsException(Errno.EIO, "buffer pool is closed");
    }
  }

  private void closeWhenUnused() {
    if (closed && space.pieceCount() == 0 && !regionClosed) {
      regionClosed = true;
      space.closeRegion();
    }
  }
}
