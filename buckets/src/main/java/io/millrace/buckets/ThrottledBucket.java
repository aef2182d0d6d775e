package io.millrace.buckets;

import io.millrace.core.api.Bucket;
import java.util.concurrent.Semaphore;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * Holds requests back: so many in flight, and so many bytes of content per second on average. A
 * request waits its turn in order of arrival, until an interrupt ends it with EINTR. Bytes are paid
 * for after they moved, by whoever comes next. Safe for many threads.
 */
public final class ThrottledBucket extends WrappedBucket {
  private static final double NANOS_PER_SECOND = 1e9;

  private final Semaphore permits;
  private final long bytesPerSecond;
  private final LongSupplier nanoTime;
  private final Sleeper sleeper;
  private long paidUntilNanos;

  /**
   * @param bytesPerSecond 0: no limit
   */
  public ThrottledBucket(
      Bucket inner,
      int requestsInFlight,
      long bytesPerSecond,
      LongSupplier nanoTime,
      Sleeper sleeper) {
    super(inner);
    this.permits = new Semaphore(requestsInFlight, true);
    this.bytesPerSecond = bytesPerSecond;
    this.nanoTime = nanoTime;
    this.sleeper = sleeper;
    this.paidUntilNanos = nanoTime.getAsLong();
  }

  @Override
  protected <T> T around(Operation operation, String key, Supplier<T> request) {
    try {
      permits.acquire();
    } catch (InterruptedException e) {
      throw interrupted(operation, key);
    }
    try {
      awaitBytes();
      return request.get();
    } catch (InterruptedException e) {
      throw interrupted(operation, key);
    } finally {
      permits.release();
    }
  }

  private void awaitBytes() throws InterruptedException {
    long wait = bytesPerSecond == 0 ? 0 : debtNanos();
    if (wait > 0) {
      sleeper.sleep(wait);
    }
  }

  private synchronized long debtNanos() {
    return paidUntilNanos - nanoTime.getAsLong();
  }

  @Override
  protected void moved(Operation operation, long bytes) {
    if (bytesPerSecond > 0) {
      charge(bytes);
    }
  }

  private synchronized void charge(long bytes) {
    long now = nanoTime.getAsLong();
    long from = paidUntilNanos - now > 0 ? paidUntilNanos : now;
    paidUntilNanos = from + (long) (bytes * NANOS_PER_SECOND / bytesPerSecond);
  }

  /** Requests that could start at once: what status shows. */
  public int freePermits() {
    return permits.availablePermits();
  }
}
