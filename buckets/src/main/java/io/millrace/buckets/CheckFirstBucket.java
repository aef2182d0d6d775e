package io.millrace.buckets;

import io.millrace.core.api.Bucket;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;

/**
 * Conditions for stores that don't honour them: a HEAD just before the write. Best effort: a change
 * between the two is overwritten, and {@code link show} says so (S5, H19). A condition that the
 * store honours is left to it; completing an upload always has the HEAD too, since Ceph 16 honours
 * If-None-Match on PUT and ignores it there.
 *
 * <p>Safe for many threads. Asks for abilities with the first conditional write, unless known.
 */
public final class CheckFirstBucket extends WrappedBucket {
  private final AtomicReference<Abilities> known;

  public CheckFirstBucket(Bucket inner, Optional<Abilities> known) {
    super(inner);
    this.known = new AtomicReference<>(known.orElse(null));
  }

  @Override
  protected <T> T around(Operation operation, String key, Supplier<T> request) {
    return request.get();
  }

  @Override
  public Abilities abilities() {
    if (known.get() == null) {
      known.compareAndSet(null, inner.abilities());
    }
    return known.get();
  }

  @Override
  public ObjectInfo put(
      String key,
      MemorySegment body,
      Map<String, String> metadata,
      String contentType,
      Condition condition) {
    Condition passed = honours(condition) ? condition : checked(key, condition);
    return inner.put(key, body, metadata, contentType, passed);
  }

  @Override
  public void delete(String key, Condition condition) {
    Conditions.requireDeletable(condition, key);
    boolean trusted = condition instanceof Condition.Always || abilities().deleteIfMatch();
    if (trusted) {
      inner.delete(key, condition);
    } else if (inner.head(key).isPresent()) {
      inner.delete(key, checked(key, condition));
    }
  }

  @Override
  public ObjectInfo completeUpload(
      String key, String upload, List<String> etags, Condition condition) {
    if (condition instanceof Condition.Always) {
      return inner.completeUpload(key, upload, etags, condition);
    }
    Condition unguarded = checked(key, condition);
    Condition passed = honours(condition) ? condition : unguarded;
    return inner.completeUpload(key, upload, etags, passed);
  }

  private boolean honours(Condition condition) {
    return switch (condition) {
      case Condition.Always() -> true;
      case Condition.Absent() -> abilities().putIfAbsent();
      case Condition.Matches _ -> abilities().putIfMatch();
    };
  }

  /** The condition that is left to the store after a look at the object: none. */
  private Condition checked(String key, Condition condition) {
    Conditions.require(condition, inner.head(key).map(head -> head.info().etag()), name(), key);
    return Condition.ALWAYS;
  }
}
