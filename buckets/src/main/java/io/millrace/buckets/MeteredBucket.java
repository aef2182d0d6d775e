package io.millrace.buckets;

import io.millrace.core.api.Bucket;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * Counts what goes to the store and what comes back. Innermost of the wrappers, so that retries
 * count and waiting for a turn doesn't. Safe for many threads; counters only grow.
 */
public final class MeteredBucket extends WrappedBucket {
  /**
   * @param nanos time of all of them together, failed ones included
   */
  public record Count(long requests, long failures, long nanos) {}

  /**
   * All counters at about one moment.
   *
   * @param operations every operation
   * @param errors only what happened
   */
  public record Reading(
      Map<Operation, Count> operations,
      Map<Errno, Long> errors,
      long bytesRead,
      long bytesWritten) {}

  private static final class Counter {
    final LongAdder requests = new LongAdder();
    final LongAdder failures = new LongAdder();
    final LongAdder nanos = new LongAdder();

    Count read() {
      return new Count(requests.sum(), failures.sum(), nanos.sum());
    }
  }

  private final EnumMap<Operation, Counter> operations = new EnumMap<>(Operation.class);
  private final EnumMap<Errno, LongAdder> errors = new EnumMap<>(Errno.class);
  private final LongAdder bytesRead = new LongAdder();
  private final LongAdder bytesWritten = new LongAdder();
  private final LongSupplier nanoTime;

  public MeteredBucket(Bucket inner, LongSupplier nanoTime) {
    super(inner);
    this.nanoTime = nanoTime;
    for (Operation operation : Operation.values()) {
      operations.put(operation, new Counter());
    }
    for (Errno errno : Errno.values()) {
      errors.put(errno, new LongAdder());
    }
  }

  @Override
  protected <T> T around(Operation operation, String key, Supplier<T> request) {
    Counter counter = operations.get(operation);
    long start = nanoTime.getAsLong();
    try {
      return request.get();
    } catch (FsException e) {
      counter.failures.increment();
      errors.get(e.errno()).increment();
      throw e;
    } finally {
      counter.requests.increment();
      counter.nanos.add(nanoTime.getAsLong() - start);
    }
  }

  @Override
  protected void moved(Operation operation, long bytes) {
    (operation == Operation.GET ? bytesRead : bytesWritten).add(bytes);
  }

  public Reading read() {
    var counts = new EnumMap<Operation, Count>(Operation.class);
    operations.forEach((operation, counter) -> counts.put(operation, counter.read()));
    var failed = new EnumMap<Errno, Long>(Errno.class);
    errors.forEach(
        (errno, count) -> {
          if (count.sum() > 0) {
            failed.put(errno, count.sum());
          }
        });
    return new Reading(counts, failed, bytesRead.sum(), bytesWritten.sum());
  }
}
