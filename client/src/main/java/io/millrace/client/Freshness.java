package io.millrace.client;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.StampedLock;

/**
 * Decides whether an answer of the node may still be cached when it reaches the kernel. A notice
 * that overtakes an answer, or a change of our own, marks the inodes it is about; an answer asked
 * for before that mark is then passed on without being cached.
 *
 * <p>Any thread. Invariant: between {@link #enter} and {@link #exit} no mark is set in the stripes
 * entered; so an answer either reaches the kernel before the mark, and the invalidation that
 * follows the mark takes it back, or it sees the mark. Inodes share stripes: a mark too many costs
 * a request, never truth.
 */
public final class Freshness {
  private static final int STRIPES = 1024;

  private final AtomicLong clock;
  private final long[] changedAt = new long[STRIPES];
  private final StampedLock[] locks = new StampedLock[STRIPES];

  /**
   * @param clock counts marks; shared by those whose {@link #now} is compared
   */
  public Freshness(AtomicLong clock) {
    this.clock = clock;
    for (int i = 0; i < STRIPES; i++) {
      locks[i] = new StampedLock();
    }
  }

  /** Taken before the question is sent. */
  public long now() {
    return clock.get();
  }

  public void changed(long ino) {
    mark(stripe(ino));
  }

  public void allChanged() {
    for (int i = 0; i < STRIPES; i++) {
      mark(i);
    }
  }

  private void mark(int stripe) {
    long stamp = locks[stripe].writeLock();
    try {
      changedAt[stripe] = clock.incrementAndGet();
    } finally {
      locks[stripe].unlockWrite(stamp);
    }
  }

  /**
   * Whether nothing about {@code ino} changed since; true only of the moment without {@link
   * #enter}.
   */
  public boolean isFresh(long ino, long since) {
    int stripe = stripe(ino);
    StampedLock lock = locks[stripe];
    long stamp = lock.tryOptimisticRead();
    boolean fresh = changedAt[stripe] <= since;
    if (lock.validate(stamp)) {
      return fresh;
    }
    stamp = lock.readLock();
    try {
      return changedAt[stripe] <= since;
    } finally {
      lock.unlockRead(stamp);
    }
  }

  /**
   * Holds marks on both inodes off until {@link #exit}: hold it for one write to the kernel only.
   */
  public Held enter(long ino, long other) {
    int low = Math.min(stripe(ino), stripe(other));
    int high = Math.max(stripe(ino), stripe(other));
    long lowStamp = locks[low].readLock();
    long highStamp = low == high ? 0 : locks[high].readLock();
    return new Held(low, lowStamp, high, highStamp);
  }

  public void exit(Held held) {
    if (held.high != held.low) {
      locks[held.high].unlockRead(held.highStamp);
    }
    locks[held.low].unlockRead(held.lowStamp);
  }

  /**
   * Two stripes that were entered in the order of their numbers, so that no two threads wait in a
   * ring.
   */
  public record Held(int low, long lowStamp, int high, long highStamp) {}

  private static int stripe(long ino) {
    return (int) ((ino * 0x9E3779B97F4A7C15L) >>> 54);
  }
}
