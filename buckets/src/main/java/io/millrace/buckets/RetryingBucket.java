package io.millrace.buckets;

import io.millrace.core.api.Bucket;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;

/**
 * Tries again what failed with EAGAIN, ETIMEDOUT or ECONNREFUSED. Safe for many threads; a pause
 * ends with EINTR on interrupt.
 *
 * <p>A write whose answer was lost may have happened. Where its repetition is then refused because
 * of itself, the object is looked at, and a write that is there counts as done (H20). A repeated
 * {@link #beginUpload} may leave an upload behind that nobody knows.
 *
 * @see RetryPolicy
 */
public final class RetryingBucket extends WrappedBucket {
  private static final int COMPARE_BYTES = 1 << 20;

  private final RetryPolicy policy;
  private final RandomGenerator random;
  private final LongSupplier nanoTime;
  private final Sleeper sleeper;

  /**
   * @param random safe for many threads
   */
  public RetryingBucket(
      Bucket inner,
      RetryPolicy policy,
      RandomGenerator random,
      LongSupplier nanoTime,
      Sleeper sleeper) {
    super(inner);
    this.policy = policy;
    this.random = random;
    this.nanoTime = nanoTime;
    this.sleeper = sleeper;
  }

  @Override
  protected <T> T around(Operation operation, String key, Supplier<T> request) {
    return retried(operation, key, request, _ -> Optional.empty());
  }

  /**
   * @param settle asked when a repetition was refused after a write that may have happened: the
   *     answer that was lost, if it did
   */
  private <T> T retried(
      Operation operation,
      String key,
      Supplier<T> request,
      Function<FsException, Optional<T>> settle) {
    long start = nanoTime.getAsLong();
    boolean mayBeDone = false;
    for (int attempt = 1; ; attempt++) {
      try {
        return request.get();
      } catch (FsException e) {
        if (!worthARetry(e.errno())) {
          Optional<T> done = mayBeDone ? settle.apply(e) : Optional.empty();
          return done.orElseThrow(() -> e);
        }
        mayBeDone |= operation.writes() && e.errno() != Errno.ECONNREFUSED;
        pause(operation, key, attempt, start, e);
      }
    }
  }

  private static boolean worthARetry(Errno errno) {
    return errno == Errno.EAGAIN || errno == Errno.ETIMEDOUT || errno == Errno.ECONNREFUSED;
  }

  private void pause(
      Operation operation, String key, int attempt, long startNanos, FsException failure) {
    long pauseNanos = policy.pauseNanos(attempt, random);
    long spentNanos = nanoTime.getAsLong() - startNanos;
    boolean late =
        policy.deadline().isPresent()
            && spentNanos + pauseNanos > policy.deadline().get().toNanos();
    if (late) {
      throw new FsException(
          failure,
          Errno.ETIMEDOUT,
          "the bucket did not serve the request until the deadline",
          "operation",
          operation,
          "attempts",
          attempt,
          "deadline",
          policy.deadline().get(),
          "last",
          failure.getMessage());
    }
    try {
      sleeper.sleep(pauseNanos);
    } catch (InterruptedException e) {
      throw interrupted(operation, key);
    }
  }

  @Override
  public ObjectInfo put(
      String key,
      MemorySegment body,
      Map<String, String> metadata,
      String contentType,
      Condition condition) {
    return retried(
        Operation.PUT,
        key,
        () -> inner.put(key, body, metadata, contentType, condition),
        refusal ->
            refusal.errno() == Errno.EEXIST ? ownPut(key, body, metadata) : Optional.empty());
  }

  private Optional<ObjectInfo> ownPut(
      String key, MemorySegment body, Map<String, String> metadata) {
    return head(key)
        .filter(head -> head.info().size() == body.byteSize())
        .filter(head -> head.metadata().equals(metadata))
        .map(ObjectHead::info)
        .filter(info -> holds(info, body));
  }

  /** By the etag where it is an MD5, else by reading the object back. */
  private boolean holds(ObjectInfo info, MemorySegment body) {
    if (info.etag().equals(Etag.ofContent(body))) {
      return true;
    }
    try (var arena = Arena.ofConfined()) {
      MemorySegment found = arena.allocate(COMPARE_BYTES);
      for (long at = 0; at < body.byteSize(); at += COMPARE_BYTES) {
        long length = Math.min(COMPARE_BYTES, body.byteSize() - at);
        MemorySegment piece = found.asSlice(0, length);
        int read = get(info.key(), info.etag(), at, piece);
        if (read != length || body.asSlice(at, length).mismatch(piece) != -1) {
          return false;
        }
      }
      return true;
    }
  }

  /** A copy of an object onto itself changes its etag in some stores: then ESTALE is our own. */
  @Override
  public ObjectInfo copy(
      String source, String sourceEtag, String target, Optional<Map<String, String>> metadata) {
    return retried(
        Operation.COPY,
        source,
        () -> inner.copy(source, sourceEtag, target, metadata),
        refusal ->
            refusal.errno() == Errno.ESTALE && source.equals(target)
                ? head(target)
                    .filter(head -> Optional.of(head.metadata()).equals(metadata))
                    .map(ObjectHead::info)
                : Optional.empty());
  }

  /** An upload that is gone may be one that was completed: the etag of its parts tells. */
  @Override
  public ObjectInfo completeUpload(
      String key, String upload, List<String> etags, Condition condition) {
    String expected = Etag.ofParts(etags);
    return retried(
        Operation.COMPLETE_UPLOAD,
        key,
        () -> inner.completeUpload(key, upload, etags, condition),
        refusal ->
            refusal.errno() == Errno.ENOENT || refusal.errno() == Errno.EEXIST
                ? head(key).map(ObjectHead::info).filter(info -> info.etag().equals(expected))
                : Optional.empty());
  }
}
