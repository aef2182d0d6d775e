package io.millrace.link;

import io.millrace.core.api.BlockId;
import io.millrace.core.api.ContentSource.Urgency;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.core.api.Pinned;
import io.millrace.proto.Inode;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * One block on its way from the bucket, and all who wait for it. Any thread. The block is pinned
 * once; the pin ends when the flight and all who were handed bytes have let go.
 *
 * <p>A lock and not a monitor: a virtual thread that waits on a monitor is woken through a thread
 * of the JDK's, one more switch for every file.
 */
final class BlockFlight {
  final BlockId id;
  final Inode inode;
  final GetPermits.Ticket ticket;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition over = lock.newCondition();
  private int references = 1;
  private int waiting;
  private boolean done;
  private Pinned block;
  private FsException failure;

  BlockFlight(BlockId id, Inode inode, Urgency urgency) {
    this.id = id;
    this.inode = inode;
    this.ticket = new GetPermits.Ticket(urgency);
  }

  /** False: it is over and its bytes are let go; ask anew. */
  boolean join() {
    lock.lock();
    try {
      if (done && (failure != null || references == 0)) {
        return false;
      }
      references++;
      waiting++;
      return true;
    } finally {
      lock.unlock();
    }
  }

  /** Whether anybody still waits: else there is no point in trying again. */
  boolean wanted() {
    lock.lock();
    try {
      return waiting > 0;
    } finally {
      lock.unlock();
    }
  }

  void land(Pinned landed) {
    end(landed, null);
  }

  void crash(FsException cause) {
    end(null, cause);
  }

  private void end(Pinned landed, FsException cause) {
    lock.lock();
    try {
      block = landed;
      failure = cause;
      done = true;
      over.signalAll();
      release();
    } finally {
      lock.unlock();
    }
  }

  /**
   * After {@link #join}, once.
   *
   * @param nanos how long to wait; 0 or less: without end
   */
  Pinned await(long nanos, int offset, int length) {
    boolean handed = false;
    lock.lock();
    try {
      awaitDone(nanos);
      if (failure != null) {
        throw new FsException(
            failure, failure.errno(), "content could not be loaded", "cause", failure.getMessage());
      }
      MemorySegment bytes = block.bytes();
      if (offset < 0 || length < 0 || (long) offset + length > bytes.byteSize()) {
        throw new FsException(Errno.EINVAL, "range ends after the block", "block", id);
      }
      handed = true;
      return new Share(bytes.asSlice(offset, length));
    } finally {
      waiting--;
      if (!handed) {
        release();
      }
      lock.unlock();
    }
  }

  /** Holds the lock. */
  private void awaitDone(long nanos) {
    long left = nanos <= 0 ? Long.MAX_VALUE : nanos;
    try {
      while (!done) {
        if (left <= 0) {
          throw new FsException(Errno.ETIMEDOUT, "the bucket did not answer in time", "block", id);
        }
        if (nanos <= 0) {
          over.await();
        } else {
          left = over.awaitNanos(left);
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new FsException(e, Errno.EINTR, "interrupted while content is loaded");
    }
  }

  private void release() {
    lock.lock();
    try {
      if (--references == 0 && block != null) {
        block.close();
      }
    } finally {
      lock.unlock();
    }
  }

  /** One waiter's part of the block. */
  private final class Share implements Pinned {
    private final MemorySegment bytes;
    private final AtomicBoolean closed = new AtomicBoolean();

    Share(MemorySegment bytes) {
      this.bytes = bytes;
    }

    @Override
    public MemorySegment bytes() {
      return bytes;
    }

    @Override
    public void close() {
      if (!closed.getAndSet(true)) {
        release();
      }
    }
  }
}
