package io.millrace.buckets;

import io.millrace.core.api.Bucket;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Hands every request on, through one method that a wrapper fills in. Owns the bucket below: {@link
 * #close} closes it too. As safe for many threads as its {@link #around}.
 */
public abstract class WrappedBucket implements Bucket {
  protected final Bucket inner;

  protected WrappedBucket(Bucket inner) {
    this.inner = inner;
  }

  /** One request; {@code request} sends it, as often as it is called. */
  protected abstract <T> T around(Operation operation, String key, Supplier<T> request);

  /** Content that a request has moved, in bytes. */
  protected void moved(Operation operation, long bytes) {}

  @Override
  public final String name() {
    return inner.name();
  }

  @Override
  public final void check() {
    run(Operation.CHECK, "", inner::check);
  }

  @Override
  public final Optional<ObjectHead> head(String key) {
    return around(Operation.HEAD, key, () -> inner.head(key));
  }

  @Override
  public int get(String key, String etag, long offset, MemorySegment target) {
    int read = around(Operation.GET, key, () -> inner.get(key, etag, offset, target));
    moved(Operation.GET, read);
    return read;
  }

  @Override
  public ObjectInfo put(
      String key,
      MemorySegment body,
      Map<String, String> metadata,
      String contentType,
      Condition condition) {
    ObjectInfo info =
        around(Operation.PUT, key, () -> inner.put(key, body, metadata, contentType, condition));
    moved(Operation.PUT, body.byteSize());
    return info;
  }

  @Override
  public ObjectInfo copy(
      String source, String sourceEtag, String target, Optional<Map<String, String>> metadata) {
    return around(Operation.COPY, source, () -> inner.copy(source, sourceEtag, target, metadata));
  }

  @Override
  public void delete(String key, Condition condition) {
    run(Operation.DELETE, key, () -> inner.delete(key, condition));
  }

  @Override
  public final Page list(
      String prefix, String token, String startAfter, String delimiter, int maxKeys) {
    return around(
        Operation.LIST, prefix, () -> inner.list(prefix, token, startAfter, delimiter, maxKeys));
  }

  @Override
  public final String beginUpload(String key, Map<String, String> metadata, String contentType) {
    return around(Operation.BEGIN_UPLOAD, key, () -> inner.beginUpload(key, metadata, contentType));
  }

  @Override
  public final String uploadPart(String key, String upload, int part, MemorySegment body) {
    String etag =
        around(Operation.UPLOAD_PART, key, () -> inner.uploadPart(key, upload, part, body));
    moved(Operation.UPLOAD_PART, body.byteSize());
    return etag;
  }

  @Override
  public final String copyPart(
      String key, String upload, int part, String source, String etag, long offset, long length) {
    return around(
        Operation.COPY_PART,
        source,
        () -> inner.copyPart(key, upload, part, source, etag, offset, length));
  }

  @Override
  public ObjectInfo completeUpload(
      String key, String upload, List<String> etags, Condition condition) {
    return around(
        Operation.COMPLETE_UPLOAD, key, () -> inner.completeUpload(key, upload, etags, condition));
  }

  @Override
  public final void abortUpload(String key, String upload) {
    run(Operation.ABORT_UPLOAD, key, () -> inner.abortUpload(key, upload));
  }

  @Override
  public Abilities abilities() {
    return around(Operation.ABILITIES, "", inner::abilities);
  }

  @Override
  public void close() {
    inner.close();
  }

  private void run(Operation operation, String key, Runnable request) {
    Object nothing =
        around(
            operation,
            key,
            () -> {
              request.run();
              return null;
            });
    assert nothing == null : "a request without an answer";
  }

  /** The answer to an interrupt while a wrapper waits. The thread's flag is set again. */
  protected final FsException interrupted(Operation operation, String key) {
    Thread.currentThread().interrupt();
    return new FsException(
        Errno.EINTR,
        "interrupted while waiting for the bucket",
        "bucket",
        name(),
        "key",
        key,
        "operation",
        operation);
  }
}
