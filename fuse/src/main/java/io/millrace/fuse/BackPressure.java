package io.millrace.fuse;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A limit at which workers wait. Shared by the session's workers, so that at least one of them
 * stays free to read INTERRUPT: the last free worker doesn't wait at the limit but goes on to twice
 * the limit, and waits only there. So {@code inUse <= 2 * limit} always.
 */
final class BackPressure {
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition released = lock.newCondition();
  private final AtomicInteger waitingWorkers;
  private final int workers;
  private final int limit;
  private int inUse;

  BackPressure(int limit, int workers, AtomicInteger waitingWorkers) {
    this.limit = limit;
    this.workers = workers;
    this.waitingWorkers = waitingWorkers;
  }

  /** Takes one; a worker calls, and waits while none is to be had. */
  void acquire() {
    lock.lock();
    try {
      if (inUse >= limit) {
        waitForOne();
      }
      inUse++;
    } finally {
      lock.unlock();
    }
  }

  private void waitForOne() {
    boolean last = waitingWorkers.incrementAndGet() >= workers;
    try {
      while (inUse >= (last ? 2 * limit : limit)) {
        released.awaitUninterruptibly();
      }
    } finally {
      waitingWorkers.decrementAndGet();
    }
  }

  void release() {
    lock.lock();
    try {
      inUse--;
      released.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Waits until all are released; false when that took longer than {@code atMost}. */
  boolean awaitIdle(Duration atMost) {
    long nanos = atMost.toNanos();
    lock.lock();
    try {
      while (inUse > 0 && nanos > 0) {
        nanos = released.awaitNanos(nanos);
      }
      return inUse == 0;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    } finally {
      lock.unlock();
    }
  }

  int inUse() {
    lock.lock();
    try {
      return inUse;
    } finally {
      lock.unlock();
    }
  }
}
