package io.millrace.buckets;

import io.millrace.core.api.Bucket;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.function.Supplier;

/** Treats conditions as stores do that don't follow AWS. */
final class StrangeStore extends WrappedBucket {
  enum Habit {
    IGNORES,
    REFUSES_RIGHT_ETAG,
    ANSWERS_400,
    ANSWERS_403
  }

  private final Habit habit;

  StrangeStore(Bucket inner, Habit habit) {
    super(inner);
    this.habit = habit;
  }

  @Override
  protected <T> T around(Operation operation, String key, Supplier<T> request) {
    return request.get();
  }

  @Override
  public ObjectInfo put(
      String key,
      MemorySegment body,
      Map<String, String> metadata,
      String contentType,
      Condition condition) {
    Condition passed = condition instanceof Condition.Always ? condition : treated(condition);
    return inner.put(key, body, metadata, contentType, passed);
  }

  private Condition treated(Condition condition) {
    return switch (habit) {
      case IGNORES -> Condition.ALWAYS;
      case REFUSES_RIGHT_ETAG ->
          condition instanceof Condition.Matches ? new Condition.Matches("never") : condition;
      case ANSWERS_400 -> throw new FsException(Errno.EIO, "400");
      case ANSWERS_403 -> throw new FsException(Errno.EACCES, "403");
    };
  }

  @Override
  public void delete(String key, Condition condition) {
    inner.delete(key, Condition.ALWAYS);
  }
}
