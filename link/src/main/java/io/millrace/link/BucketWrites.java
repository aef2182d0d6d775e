package io.millrace.link;

import io.millrace.core.api.Bucket;
import io.millrace.core.api.Bucket.Condition;
import io.millrace.core.api.Bucket.ObjectHead;
import io.millrace.core.api.Bucket.ObjectInfo;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import java.util.Map;
import java.util.Optional;

/**
 * Conditions as far as the store honours them; where it does not, a HEAD just before stands in,
 * which leaves a gap that nothing can close (S5, H19).
 */
record BucketWrites(Bucket bucket) {

  /** The condition to send for a write over what {@code found} says is there. */
  Condition over(Optional<ObjectHead> found) {
    Bucket.Abilities can = bucket.abilities();
    if (found.isEmpty()) {
      return can.putIfAbsent() ? Condition.ABSENT : Condition.ALWAYS;
    }
    String etag = found.get().info().etag();
    return can.putIfMatch() && !etag.isEmpty() ? new Condition.Matches(etag) : Condition.ALWAYS;
  }

  /** Whether a new object needs no look beforehand. */
  boolean guardsNew() {
    return bucket.abilities().putIfAbsent();
  }

  /**
   * Copies the object if it is still this version. Not every store checks and copies in one step:
   * where the copy has another etag, as it may, the source is looked at once more.
   *
   * @throws FsException ESTALE it is another one now; no copy of that stays
   */
  ObjectInfo copyVersion(
      String source, String etag, String target, Optional<Map<String, String>> metadata) {
    ObjectInfo copy = bucket.copy(source, etag, target, metadata);
    if (etag.isEmpty() || copy.etag().equals(etag)) {
      return copy;
    }
    Optional<ObjectHead> from = bucket.head(source);
    if (from.isPresent() && from.get().info().etag().equals(etag)) {
      return copy;
    }
    if (!copy.etag().isEmpty()) {
      deleteVersion(target, copy.etag());
    }
    throw new FsException(Errno.ESTALE, "the object changed while it was copied", "key", source);
  }

  /**
   * Deletes the object if it is still this version.
   *
   * @return false: it is another one now, and stays
   */
  boolean deleteVersion(String key, String etag) {
    if (etag.isEmpty()) {
      bucket.delete(key, Condition.ALWAYS);
      return true;
    }
    if (!bucket.abilities().deleteIfMatch()) {
      Optional<ObjectHead> found = bucket.head(key);
      if (found.isEmpty()) {
        return true;
      }
      if (!found.get().info().etag().equals(etag)) {
        return false;
      }
      bucket.delete(key, Condition.ALWAYS);
      return true;
    }
    try {
      bucket.delete(key, new Condition.Matches(etag));
      return true;
    } catch (FsException e) {
      if (e.errno() == Errno.EEXIST || e.errno() == Errno.ESTALE) {
        return false;
      }
      throw e;
    }
  }
}
