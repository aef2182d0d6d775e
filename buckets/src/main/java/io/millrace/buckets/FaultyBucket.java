package io.millrace.buckets;

import io.millrace.core.api.Bucket;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import java.lang.foreign.MemorySegment;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;

/**
 * A store on a bad day, for tests and chaos runs: the same seed and the same order of requests give
 * the same faults. Safe for many threads (their order is then up to the scheduler).
 */
public final class FaultyBucket extends WrappedBucket {
  private final Faults faults;
  private final RandomGenerator random;
  private final Sleeper sleeper;
  private int burstLeft;
  private long injected;

  public FaultyBucket(Bucket inner, Faults faults, RandomGenerator random, Sleeper sleeper) {
    super(inner);
    this.faults = faults;
    this.random = random;
    this.sleeper = sleeper;
  }

  @Override
  protected <T> T around(Operation operation, String key, Supplier<T> request) {
    if (refuses()) {
      throw fault(Errno.EAGAIN, "fault: 503", operation, key);
    }
    if (happens(faults.requestLost())) {
      throw fault(Errno.ETIMEDOUT, "fault: request lost", operation, key);
    }
    delay(operation, key);
    T answer = request.get();
    if (happens(faults.replyLost())) {
      throw fault(Errno.ETIMEDOUT, "fault: reply lost", operation, key);
    }
    return answer;
  }

  @Override
  public int get(String key, String etag, long offset, MemorySegment target) {
    if (!etag.isEmpty() && happens(faults.otherEtag())) {
      throw fault(Errno.ESTALE, "fault: other etag", Operation.GET, key);
    }
    int read = super.get(key, etag, offset, target);
    if (happens(faults.truncated())) {
      target.asSlice(read / 2).fill((byte) 0xEE);
      throw fault(Errno.EAGAIN, "fault: body truncated", Operation.GET, key);
    }
    return read;
  }

  /** Faults so far: a test that met none has shown nothing. */
  public synchronized long injected() {
    return injected;
  }

  private synchronized boolean refuses() {
    if (burstLeft == 0 && random.nextDouble() < faults.burst()) {
      burstLeft = faults.burstLength();
    }
    if (burstLeft == 0) {
      return false;
    }
    burstLeft--;
    injected++;
    return true;
  }

  private synchronized boolean happens(double share) {
    boolean now = random.nextDouble() < share;
    injected += now ? 1 : 0;
    return now;
  }

  private void delay(Operation operation, String key) {
    if (happens(faults.slow())) {
      try {
        sleeper.sleep(faults.slowFor().toNanos());
      } catch (InterruptedException e) {
        throw interrupted(operation, key);
      }
    }
  }

  private FsException fault(Errno errno, String message, Operation operation, String key) {
    return new FsException(errno, message, "bucket", name(), "key", key, "operation", operation);
  }
}
