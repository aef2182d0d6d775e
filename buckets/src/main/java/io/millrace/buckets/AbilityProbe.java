package io.millrace.buckets;

import io.millrace.core.api.Bucket;
import io.millrace.core.api.Bucket.Abilities;
import io.millrace.core.api.Bucket.Condition;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.function.Supplier;

/**
 * Finds out which conditions a store honours, on a temporary object: eight requests. A condition
 * counts only if the right one is taken and the wrong one is refused as failed (412): Ceph 16
 * refuses the right etag too, others answer 400 or ignore the header.
 */
final class AbilityProbe {
  private static final MemorySegment BODY = MemorySegment.ofArray(new byte[] {'?'});
  private static final String NO_ETAG = "00000000000000000000000000000000";

  private final Bucket bucket;
  private final String key;

  AbilityProbe(Bucket bucket, String key) {
    this.bucket = bucket;
    this.key = key;
  }

  /**
   * @throws FsException the store could not be asked; nothing is known then
   */
  Abilities probe() {
    try {
      String etag = put(Condition.ALWAYS);
      boolean ifMatch =
          holds(() -> put(new Condition.Matches(etag)))
              && refuses(() -> put(new Condition.Matches(NO_ETAG)));
      boolean refusesSecond = refuses(() -> put(Condition.ABSENT));
      boolean deleteIfMatch = refuses(this::deleteAnother);
      bucket.delete(key, Condition.ALWAYS);
      boolean ifAbsent = refusesSecond && holds(() -> put(Condition.ABSENT));
      return new Abilities(ifAbsent, ifMatch, deleteIfMatch);
    } catch (FsException e) {
      if (e.errno() == Errno.EACCES || e.errno() == Errno.EOPNOTSUPP) { // a bucket to read from
        return new Abilities(false, false, false);
      }
      throw e;
    } finally {
      remove();
    }
  }

  private String deleteAnother() {
    bucket.delete(key, new Condition.Matches(NO_ETAG));
    return key;
  }

  private String put(Condition condition) {
    return bucket.put(key, BODY, Map.of(), "", condition).etag();
  }

  private static boolean holds(Supplier<String> request) {
    return errnoOf(request) == null;
  }

  private static boolean refuses(Supplier<String> request) {
    return errnoOf(request) == Errno.EEXIST;
  }

  /** Null: the request succeeded. What says nothing about the ability is thrown on. */
  private static Errno errnoOf(Supplier<String> request) {
    try {
      var _ = request.get();
      return null;
    } catch (FsException e) {
      return switch (e.errno()) {
        case EEXIST, EIO, EINVAL, EOPNOTSUPP -> e.errno();
        default -> throw e;
      };
    }
  }

  /** Best effort: what fails here failed before, and a leftover is named for what it is. */
  private void remove() {
    try {
      bucket.delete(key, Condition.ALWAYS);
    } catch (FsException e) {
      return;
    }
  }
}
