package io.millrace.link;

import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import java.time.Duration;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;

/**
 * How one link treats a bucket that refuses or is away (S25): pauses that double, with jitter, and
 * the last error for people to see. Any thread.
 */
final class BackOff {
  private final Duration first;
  private final Duration most;
  private final RandomGenerator random;
  private String lastError = "";

  BackOff(Duration first, Duration most, RandomGenerator random) {
    this.first = first;
    this.most = most;
    this.random = random;
  }

  /** Whether the same request may succeed later. */
  static boolean worthRetry(FsException failure) {
    return switch (failure.errno()) {
      case EAGAIN, ETIMEDOUT, ECONNREFUSED -> true;
      default -> false;
    };
  }

  /**
   * Repeats {@code request} while the bucket refuses it and it is wanted.
   *
   * @throws FsException the request's, when it is not worth a retry or not wanted any more; EINTR
   *     where this thread was interrupted
   */
  <T> T retrying(Supplier<T> request, BooleanSupplier wanted) {
    for (int attempt = 0; ; attempt++) {
      try {
        T result = request.get();
        succeeded();
        return result;
      } catch (FsException e) {
        if (!worthRetry(e)) {
          throw e;
        }
        failed(e);
        if (!wanted.getAsBoolean()) {
          throw e;
        }
        pause(attempt);
      }
    }
  }

  /** {@link #retrying(Supplier, BooleanSupplier)} without an end but an interrupt. */
  <T> T retrying(Supplier<T> request) {
    return retrying(request, () -> true);
  }

  void pause(int attempt) {
    long ceiling = Math.min(most.toMillis(), first.toMillis() << Math.min(attempt, 20));
    long millis = ceiling / 2 + random.nextLong(ceiling / 2 + 1);
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new FsException(e, Errno.EINTR, "interrupted while the bucket is away");
    }
  }

  synchronized void failed(FsException failure) {
    lastError = failure.getMessage();
  }

  synchronized void succeeded() {
    if (!lastError.isEmpty()) {
      lastError = "";
    }
  }

  /** Empty while requests succeed. */
  synchronized String lastError() {
    return lastError;
  }
}
