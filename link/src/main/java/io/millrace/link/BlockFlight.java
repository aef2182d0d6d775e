package io.millrace.link;

import io.millrace.core.api.BlockId;
import io.millrace.core.api.ContentSource.Urgency;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.core.api.Pinned;
import io.millrace.proto.Inode;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/**
 * One block on its way from the bucket, and all who wait for it. Any thread; never blocks. Ends
 * once, by {@link #land}, {@link #crash} or {@link #abandon}; whoever ends it answers those that
 * still wait, on his thread.
 */
final class BlockFlight {
  final BlockId id;
  final Inode inode;
  final GetPermits.Ticket ticket;

  private final boolean forLater;

  private List<BlockWaiter> waiters = new ArrayList<>(1);
  private boolean over;

  /**
   * @param forLater whether it is for whoever comes later, and goes on though nobody waits
   */
  BlockFlight(BlockId id, Inode inode, Urgency urgency, boolean forLater) {
    this.id = id;
    this.inode = inode;
    this.ticket = new GetPermits.Ticket(urgency);
    this.forLater = forLater;
  }

  /** False: it is over; ask anew. */
  synchronized boolean join(BlockWaiter waiter) {
    return !over && waiters.add(waiter);
  }

  /** Takes out those whose time is up. */
  synchronized List<BlockWaiter> leaveLate(long nowNanos) {
    List<BlockWaiter> late = List.of();
    for (Iterator<BlockWaiter> each = waiters.iterator(); each.hasNext(); ) {
      BlockWaiter waiter = each.next();
      if (waiter.isLate(nowNanos)) {
        late = late.isEmpty() ? new ArrayList<>() : late;
        late.add(waiter);
        each.remove();
      }
    }
    return late;
  }

  /** Whether there is a point in trying again. */
  synchronized boolean wanted() {
    return !over && (forLater || waiters.stream().anyMatch(BlockWaiter::waits));
  }

  /** Ends it without an answer; those that wait are the caller's. */
  synchronized List<BlockWaiter> abandon() {
    over = true;
    List<BlockWaiter> rest = waiters;
    waiters = List.of();
    return rest;
  }

  void crash(FsException cause) {
    abandon().forEach(waiter -> waiter.fail(cause));
  }

  /** The block is pinned once; the pin ends when all who were handed bytes have let go. */
  void land(Pinned block) {
    List<BlockWaiter> all = abandon();
    var shared = new SharedBlock(block, all.size() + 1);
    for (BlockWaiter waiter : all) {
      if (waiter.isWithin(block.bytes().byteSize())) {
        waiter.give(shared.share(waiter.offset, waiter.length));
      } else {
        shared.release();
        waiter.fail(new FsException(Errno.EINVAL, "range ends after the block", "block", id));
      }
    }
    shared.release();
  }
}
