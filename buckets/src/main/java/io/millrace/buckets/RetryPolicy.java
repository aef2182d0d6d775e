package io.millrace.buckets;

import java.time.Duration;
import java.util.Optional;
import java.util.random.RandomGenerator;

/**
 * When to try again: exponential back-off with full jitter, so that clients that failed together
 * don't come back together.
 *
 * @param firstDelay upper end of the first pause; doubles with each
 * @param delayMax upper end of every pause
 * @param deadline after the first attempt, no new one begins later than this; empty: never gives up
 */
public record RetryPolicy(Duration firstDelay, Duration delayMax, Optional<Duration> deadline) {
  private static final int SHIFT_MAX = 30;

  public RetryPolicy {
    if (firstDelay.isNegative() || firstDelay.isZero() || delayMax.compareTo(firstDelay) < 0) {
      throw new IllegalArgumentException("no back-off: " + firstDelay + " to " + delayMax);
    }
  }

  /** 50 ms to 10 s, for as long as it takes: tasks wait rather than fail (S25). */
  public static RetryPolicy patient() {
    return new RetryPolicy(Duration.ofMillis(50), Duration.ofSeconds(10), Optional.empty());
  }

  /** 50 ms to 5 s until {@code deadline}: somebody waits for the answer (H22). */
  public static RetryPolicy until(Duration deadline) {
    return new RetryPolicy(Duration.ofMillis(50), Duration.ofSeconds(5), Optional.of(deadline));
  }

  /**
   * @param attempt failed ones so far, from 1
   * @return a pause from 0 up to the doubled first delay, in nanoseconds
   */
  long pauseNanos(int attempt, RandomGenerator random) {
    int shift = Math.min(attempt - 1, SHIFT_MAX);
    double doubled = (double) firstDelay.toNanos() * (1L << shift);
    return random.nextLong((long) Math.min(doubled, (double) delayMax.toNanos()) + 1);
  }
}
