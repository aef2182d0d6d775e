package io.millrace.buckets;

import io.millrace.core.api.Bucket.Condition;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import java.util.Optional;

/** What conditions mean, for stores that check them here and not on a server. */
final class Conditions {
  private Conditions() {}

  /**
   * @param found etag of the object that is there
   * @throws FsException EEXIST the condition does not hold
   */
  static void require(Condition condition, Optional<String> found, String bucket, String key) {
    boolean holds =
        switch (condition) {
          case Condition.Always() -> true;
          case Condition.Absent() -> found.isEmpty();
          case Condition.Matches(String etag) -> found.isPresent() && found.get().equals(etag);
        };
    if (!holds) {
      throw new FsException(
          Errno.EEXIST,
          "the object is not as the write demands",
          "bucket",
          bucket,
          "key",
          key,
          "demanded",
          condition,
          "found",
          found.orElse("nothing"));
    }
  }

  /**
   * @throws FsException EINVAL a delete that demands absence
   */
  static void requireDeletable(Condition condition, String key) {
    if (condition instanceof Condition.Absent) {
      throw new FsException(Errno.EINVAL, "a delete cannot demand absence", "key", key);
    }
  }
}
