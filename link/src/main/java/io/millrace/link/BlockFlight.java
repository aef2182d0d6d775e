package io.millrace.link;

import io.millrace.core.api.BlockId;
import io.millrace.core.api.ContentSource.Urgency;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.core.api.Pinned;
import io.millrace.proto.Inode;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * One block on its way from the bucket, and all who wait for it. Any thread. The block is pinned
 * once; the pin ends when the flight and all who were handed bytes have let go.
 */
final class BlockFlight {
  final BlockId id;
  final Inode inode;
  final GetPermits.Ticket ticket;

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
  synchronized boolean join() {
    if (done && (failure != null || references == 0)) {
      return false;
    }
    references++;
    waiting++;
    return true;
  }

  /** Whether anybody still waits: else there is no point in trying again. */
  synchronized boolean wanted() {
    return waiting > 0;
  }

  synchronized void land(Pinned landed) {
    block = landed;
    done = true;
    notifyAll();
    release();
  }

  synchronized void crash(FsException cause) {
    failure = cause;
    done = true;
    notifyAll();
    release();
  }

  /**
   * After {@link #join}, once.
   *
   * @param nanos how long to wait; 0 or less: without end
   */
  synchronized Pinned await(long nanos, int offset, int length) {
    boolean handed = false;
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
    }
  }

  private synchronized void awaitDone(long nanos) {
    long end = nanos <= 0 ? Long.MAX_VALUE : System.nanoTime() + nanos;
    try {
      while (!done) {
        if (nanos <= 0) {
          wait();
          continue;
        }
        long left = end - System.nanoTime();
        if (left <= 0) {
          throw new FsException(Errno.ETIMEDOUT, "the bucket did not answer in time", "block", id);
        }
        wait(TimeUnit.NANOSECONDS.toMillis(left) + 1);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new FsException(e, Errno.EINTR, "interrupted while content is loaded");
    }
  }

  private synchronized void release() {
    if (--references == 0 && block != null) {
      block.close();
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
