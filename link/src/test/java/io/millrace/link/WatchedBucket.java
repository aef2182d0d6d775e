package io.millrace.link;

import io.millrace.core.api.Bucket;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;

/**
 * Writes down each request, may be taken away, may hold GETs back, and may lack the power of
 * conditions, as Ceph does.
 */
final class WatchedBucket implements Bucket {
  final Bucket inner;
  final List<String> requests = new ArrayList<>();
  final AtomicBoolean away = new AtomicBoolean();
  final AtomicBoolean conditions = new AtomicBoolean(true);
  final AtomicBoolean copyChecks = new AtomicBoolean(true);
  volatile CountDownLatch gate = new CountDownLatch(0);
  volatile Runnable afterPut = () -> {};

  /** Is told each request, as it stands in {@link #requests}, before it is made. */
  volatile Consumer<String> before = request -> {};

  /** Is told copies, deletes and listings that were made and not answered yet. */
  volatile Consumer<String> made = request -> {};

  WatchedBucket(Bucket inner) {
    this.inner = inner;
  }

  private void request(String name, String key) {
    synchronized (requests) {
      requests.add(name + " " + key);
    }
    if (away.get()) {
      throw new FsException(Errno.ECONNREFUSED, "bucket is away", "key", key);
    }
    before.accept(name + " " + key);
  }

  long count(String name) {
    synchronized (requests) {
      return requests.stream().filter(request -> request.startsWith(name + " ")).count();
    }
  }

  void forgetRequests() {
    synchronized (requests) {
      requests.clear();
    }
  }

  private Condition honoured(Condition condition) {
    return conditions.get() ? condition : Condition.ALWAYS;
  }

  @Override
  public String name() {
    return inner.name();
  }

  @Override
  public void check() {
    request("check", "");
    inner.check();
  }

  @Override
  public Optional<ObjectHead> head(String key) {
    request("head", key);
    return inner.head(key);
  }

  @Override
  public int get(String key, String etag, long offset, MemorySegment target) {
    request("get", key);
    try {
      gate.await();
    } catch (InterruptedException e) {
      throw new FsException(e, Errno.EINTR, "interrupted");
    }
    return inner.get(key, etag, offset, target);
  }

  @Override
  public ObjectInfo put(
      String key,
      MemorySegment body,
      Map<String, String> metadata,
      String contentType,
      Condition condition) {
    request("put", key);
    ObjectInfo info = inner.put(key, body, metadata, contentType, honoured(condition));
    afterPut.run();
    return info;
  }

  @Override
  public ObjectInfo copy(
      String source, String sourceEtag, String target, Optional<Map<String, String>> metadata) {
    request("copy", target);
    ObjectInfo info = inner.copy(source, copyChecks.get() ? sourceEtag : "", target, metadata);
    made.accept("copy " + target);
    return info;
  }

  @Override
  public void delete(String key, Condition condition) {
    request("delete", key);
    inner.delete(key, honoured(condition));
    made.accept("delete " + key);
  }

  @Override
  public Page list(String prefix, String token, String startAfter, String delimiter, int maxKeys) {
    request("list", prefix);
    Page page = inner.list(prefix, token, startAfter, delimiter, maxKeys);
    made.accept("list " + prefix);
    return page;
  }

  @Override
  public String beginUpload(String key, Map<String, String> metadata, String contentType) {
    request("begin", key);
    return inner.beginUpload(key, metadata, contentType);
  }

  @Override
  public String uploadPart(String key, String upload, int part, MemorySegment body) {
    request("part", key);
    return inner.uploadPart(key, upload, part, body);
  }

  @Override
  public String copyPart(
      String key, String upload, int part, String source, String etag, long offset, long length) {
    request("copyPart", key);
    return inner.copyPart(key, upload, part, source, etag, offset, length);
  }

  @Override
  public ObjectInfo completeUpload(
      String key, String upload, List<String> etags, Condition condition) {
    request("complete", key);
    return inner.completeUpload(key, upload, etags, honoured(condition));
  }

  @Override
  public void abortUpload(String key, String upload) {
    request("abort", key);
    inner.abortUpload(key, upload);
  }

  @Override
  public Abilities abilities() {
    return conditions.get() ? inner.abilities() : new Abilities(false, false, false);
  }

  @Override
  public void close() {}
}
