package io.millrace.buckets;

import io.millrace.core.api.Bucket;
import io.millrace.core.api.Bucket.Abilities;
import java.net.URI;
import java.time.InstantSource;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;

/**
 * Opens buckets by URL and puts the wrappers around them, outermost first: check-first, retrying,
 * throttled, metered. So retries hold no permit while they pause, and every request that is sent is
 * counted. One instance per process: it remembers {@code mem:} buckets, which live as long as it.
 */
public final class Buckets {
  /**
   * How to open one bucket.
   *
   * @param endpoint empty: AWS
   * @param region empty: the default
   * @param bytesPerSecond 0: no limit
   * @param abilities empty: asked for with the first conditional write
   */
  public record Access(
      BucketUrl url,
      Optional<URI> endpoint,
      String region,
      Credentials credentials,
      int requestsInFlight,
      long bytesPerSecond,
      RetryPolicy retry,
      Optional<Abilities> abilities) {

    /** 64 requests in flight, no limit on bytes, retries without end. */
    public static Access of(
        BucketUrl url, Optional<URI> endpoint, String region, Credentials credentials) {
      return new Access(
          url, endpoint, region, credentials, 64, 0, RetryPolicy.patient(), Optional.empty());
    }
  }

  /**
   * @param bucket with all wrappers; closing it closes everything below
   * @param once the same requests in flight and counters, but each request is tried once: for
   *     callers with a deadline of their own, who put a {@link RetryingBucket} around it
   * @param meter counts both
   */
  public record Opened(Bucket bucket, Bucket once, MeteredBucket meter) implements AutoCloseable {
    @Override
    public void close() {
      bucket.close();
    }
  }

  private final InstantSource clock;
  private final LongSupplier nanoTime;
  private final Sleeper sleeper;
  private final RandomGenerator random;
  private final ConcurrentHashMap<String, MemoryBucket> memory = new ConcurrentHashMap<>();

  public Buckets() {
    this(
        InstantSource.system(),
        System::nanoTime,
        Sleeper.REAL,
        () -> ThreadLocalRandom.current().nextLong());
  }

  /**
   * @param random safe for many threads
   */
  public Buckets(
      InstantSource clock, LongSupplier nanoTime, Sleeper sleeper, RandomGenerator random) {
    this.clock = clock;
    this.nanoTime = nanoTime;
    this.sleeper = sleeper;
    this.random = random;
  }

  /**
   * Sends nothing; {@code once().check()} tells whether the bucket answers, and if not, why and the
   * way out.
   */
  public Opened open(Access access) {
    var meter = new MeteredBucket(store(access), nanoTime);
    var throttled =
        new ThrottledBucket(
            meter, access.requestsInFlight(), access.bytesPerSecond(), nanoTime, sleeper);
    Bucket retrying = retrying(throttled, access.retry());
    return new Opened(
        new CheckFirstBucket(retrying, access.abilities()),
        new CheckFirstBucket(throttled, access.abilities()),
        meter);
  }

  /** {@code bucket} with another patience, on this factory's clock. */
  public Bucket retrying(Bucket bucket, RetryPolicy policy) {
    return new RetryingBucket(bucket, policy, random, nanoTime, sleeper);
  }

  private Bucket store(Access access) {
    return switch (access.url()) {
      case BucketUrl.S3(String bucket, String prefix) ->
          new S3Bucket(settings(access, bucket, prefix));
      case BucketUrl.Directory(var path) -> new DirectoryBucket(path);
      case BucketUrl.Memory(String name, _) ->
          memory.computeIfAbsent(name, fresh -> new MemoryBucket(fresh, clock));
    };
  }

  private static S3Settings settings(Access access, String bucket, String prefix) {
    var usual = S3Settings.of(bucket, access.endpoint(), access.credentials());
    return new S3Settings(
        bucket,
        access.endpoint(),
        access.region(),
        access.credentials(),
        access.requestsInFlight(),
        usual.connectTimeout(),
        usual.answerTimeout(),
        prefix);
  }
}
