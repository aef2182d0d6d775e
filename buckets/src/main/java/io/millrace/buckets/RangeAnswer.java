package io.millrace.buckets;

import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;

/**
 * What the head of an answer to a ranged GET says, whichever client received it.
 *
 * @param etag without quotes; empty: the store gives none
 * @param length of the body; -1: not given
 * @param range {@code Content-Range}; empty: not given
 */
record RangeAnswer(int status, String etag, long length, String range) {
  private static final int PARTIAL_CONTENT = 206;

  /** What was asked for. An empty etag is any. */
  record Asked(String bucket, String key, String etag, long offset, long length) {
    FsException error(Errno errno, String message, String field, Object value) {
      return new FsException(
          errno, message, "bucket", bucket, "key", key, "expected", etag, field, value);
    }

    FsException cut(int read) {
      return error(Errno.EAGAIN, "the body ended before its announced length", "read", read);
    }
  }

  /**
   * Checks that this is the piece that was asked for, of the version that was asked for: stores
   * that ignore If-Match or Range exist (H2).
   *
   * @return bytes of the body to take
   */
  int accepted(Asked asked) {
    if (!asked.etag.isEmpty() && !etag.isEmpty() && !etag.equals(asked.etag)) {
      throw asked.error(Errno.ESTALE, "the object has changed", "found", etag);
    }
    if (length < 0) {
      throw asked.error(Errno.EIO, "the store gives no content length", "found", "none");
    }
    boolean partial = status == PARTIAL_CONTENT;
    if (!partial && asked.offset > 0) {
      throw asked.error(Errno.EIO, "the store ignores ranges", "length", length);
    }
    if (partial) {
      requireRange(asked);
    }
    return (int) Math.min(length, asked.length);
  }

  /** Fewer bytes than asked for only at the object's end: {@code bytes FIRST-LAST/TOTAL}. */
  private void requireRange(Asked asked) {
    if (!range.startsWith("bytes " + asked.offset + "-") || length > asked.length) {
      throw asked.error(Errno.EIO, "the answer is not the range asked for", "range", range);
    }
    String total = range.substring(range.indexOf('/') + 1);
    boolean ends = total.equals("*") || total.equals(Long.toString(asked.offset + length));
    if (length < asked.length && !ends) {
      throw asked.error(Errno.EAGAIN, "the answer is shorter than asked for", "range", range);
    }
  }
}
