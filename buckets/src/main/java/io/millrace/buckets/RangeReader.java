package io.millrace.buckets;

import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import software.amazon.awssdk.core.sync.ResponseTransformer;
import software.amazon.awssdk.http.AbortableInputStream;
import software.amazon.awssdk.services.s3.model.GetObjectResponse;

/**
 * Moves the body of one ranged GET into off-heap memory: socket, JDK's own buffer, pooled array,
 * target. Checks that the answer is the piece that was asked for, of the version that was asked
 * for, and whole. One request, one thread.
 */
final class RangeReader implements ResponseTransformer<GetObjectResponse, Integer> {
  private static final int PARTIAL_CONTENT = 206;

  private final String bucket;
  private final String key;
  private final String etag;
  private final long offset;
  private final MemorySegment target;
  private final HeapBuffers buffers;

  RangeReader(
      String bucket,
      String key,
      String etag,
      long offset,
      MemorySegment target,
      HeapBuffers buffers) {
    this.bucket = bucket;
    this.key = key;
    this.etag = etag;
    this.offset = offset;
    this.target = target;
    this.buffers = buffers;
  }

  @Override
  public Integer transform(GetObjectResponse answer, AbortableInputStream body) throws IOException {
    boolean whole = false;
    try {
      int length = announced(answer);
      copy(body, length);
      whole = answer.contentLength() == length;
      return length;
    } finally {
      if (!whole) {
        body.abort(); // the rest is not drained: it may be long, or never come
      }
    }
  }

  /** Stores that ignore If-Match or Range exist; both are checked in the answer too (H2). */
  private int announced(GetObjectResponse answer) {
    String found = Etag.fromHeader(answer.eTag());
    if (!etag.isEmpty() && !found.isEmpty() && !found.equals(etag)) {
      throw error(Errno.ESTALE, "the object has changed", "found", found);
    }
    if (answer.contentLength() == null || answer.contentLength() < 0) {
      throw error(Errno.EIO, "the store gives no content length", "found", "none");
    }
    long length = answer.contentLength();
    boolean partial = answer.sdkHttpResponse().statusCode() == PARTIAL_CONTENT;
    if (!partial && offset > 0) {
      throw error(Errno.EIO, "the store ignores ranges", "length", length);
    }
    if (partial) {
      requireRange(answer.contentRange(), length);
    }
    return (int) Math.min(length, target.byteSize());
  }

  /** Fewer bytes than asked for only at the object's end: {@code bytes FIRST-LAST/TOTAL}. */
  private void requireRange(String range, long length) {
    if (range == null || !range.startsWith("bytes " + offset + "-") || length > target.byteSize()) {
      throw error(Errno.EIO, "the answer is not the range asked for", "range", range);
    }
    String total = range.substring(range.indexOf('/') + 1);
    boolean ends = total.equals("*") || total.equals(Long.toString(offset + length));
    if (length < target.byteSize() && !ends) {
      throw error(Errno.EAGAIN, "the answer is shorter than asked for", "range", range);
    }
  }

  private void copy(InputStream body, int length) throws IOException {
    byte[] buffer = buffers.take();
    try {
      int done = 0;
      while (done < length) {
        int read = body.read(buffer, 0, Math.min(buffer.length, length - done));
        if (read < 0) {
          throw error(Errno.EAGAIN, "the body ended before its announced length", "read", done);
        }
        MemorySegment.copy(buffer, 0, target, ValueLayout.JAVA_BYTE, done, read);
        done += read;
      }
    } finally {
      buffers.give(buffer);
    }
  }

  private FsException error(Errno errno, String message, String field, Object value) {
    return new FsException(
        errno, message, "bucket", bucket, "key", key, "expected", etag, field, value);
  }
}
