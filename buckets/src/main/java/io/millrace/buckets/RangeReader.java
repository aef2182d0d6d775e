package io.millrace.buckets;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import software.amazon.awssdk.core.sync.ResponseTransformer;
import software.amazon.awssdk.http.AbortableInputStream;
import software.amazon.awssdk.services.s3.model.GetObjectResponse;

/**
 * Moves the body of one ranged GET of the SDK into off-heap memory: socket, JDK's own buffer,
 * pooled array, target. One request, one thread.
 */
final class RangeReader implements ResponseTransformer<GetObjectResponse, Integer> {
  private final RangeAnswer.Asked asked;
  private final MemorySegment target;
  private final HeapBuffers buffers;

  RangeReader(RangeAnswer.Asked asked, MemorySegment target, HeapBuffers buffers) {
    this.asked = asked;
    this.target = target;
    this.buffers = buffers;
  }

  @Override
  public Integer transform(GetObjectResponse answer, AbortableInputStream body) throws IOException {
    boolean whole = false;
    try {
      RangeAnswer head = head(answer);
      int length = head.accepted(asked);
      copy(body, length);
      whole = head.length() == length;
      return length;
    } finally {
      if (!whole) {
        body.abort(); // the rest is not drained: it may be long, or never come
      }
    }
  }

  private static RangeAnswer head(GetObjectResponse answer) {
    return new RangeAnswer(
        answer.sdkHttpResponse().statusCode(),
        Etag.fromHeader(answer.eTag()),
        answer.contentLength() == null ? -1 : answer.contentLength(),
        answer.contentRange() == null ? "" : answer.contentRange());
  }

  private void copy(InputStream body, int length) throws IOException {
    byte[] buffer = buffers.take();
    try {
      int done = 0;
      while (done < length) {
        int read = body.read(buffer, 0, Math.min(buffer.length, length - done));
        if (read < 0) {
          throw asked.cut(done);
        }
        MemorySegment.copy(buffer, 0, target, ValueLayout.JAVA_BYTE, done, read);
        done += read;
      }
    } finally {
      buffers.give(buffer);
    }
  }
}
