package io.millrace.buckets;

import io.millrace.core.api.Bucket;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * A bucket on the heap, for tests and {@code mem:} links: what S3 does, with every condition
 * honoured. One lock guards everything, so each method is atomic. Nothing bounds it but the heap.
 */
public final class MemoryBucket implements Bucket {
  private record Stored(ObjectHead head, MemorySegment body) {}

  private record Upload(
      String key,
      Map<String, String> metadata,
      String contentType,
      TreeMap<Integer, MemorySegment> parts) {}

  private final String name;
  private final InstantSource clock;
  private final TreeMap<String, Stored> objects = new TreeMap<>(KeyOrder.UTF8);
  private final Map<String, Upload> uploads = new HashMap<>();
  private long uploadCount;

  public MemoryBucket(String name, InstantSource clock) {
    this.name = "mem:" + name;
    this.clock = clock;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public void check() {}

  @Override
  public synchronized Optional<ObjectHead> head(String key) {
    return Optional.ofNullable(objects.get(key)).map(Stored::head);
  }

  @Override
  public synchronized int get(String key, String etag, long offset, MemorySegment target) {
    MemorySegment body = source(key, etag).body();
    long from = Math.min(offset, body.byteSize());
    long length = Math.min(target.byteSize(), body.byteSize() - from);
    MemorySegment.copy(body, from, target, 0, length);
    return (int) length;
  }

  @Override
  public synchronized ObjectInfo put(
      String key,
      MemorySegment body,
      Map<String, String> metadata,
      String contentType,
      Condition condition) {
    requireHolds(key, condition);
    return store(key, own(body), Etag.ofContent(body), metadata, contentType);
  }

  @Override
  public synchronized ObjectInfo copy(
      String source, String sourceEtag, String target, Optional<Map<String, String>> metadata) {
    Stored from = source(source, sourceEtag);
    return store(
        target,
        from.body(),
        from.head().info().etag(),
        metadata.orElse(from.head().metadata()),
        from.head().contentType());
  }

  @Override
  public synchronized void delete(String key, Condition condition) {
    Conditions.requireDeletable(condition, key);
    if (objects.containsKey(key)) {
      requireHolds(key, condition);
      objects.remove(key);
    }
  }

  @Override
  public synchronized Page list(
      String prefix, String token, String startAfter, String delimiter, int maxKeys) {
    return new PageMaker(this::from, prefix, delimiter, maxKeys).page(token, startAfter);
  }

  private Iterator<ObjectInfo> from(String key, boolean inclusive) {
    return objects.tailMap(key, inclusive).values().stream().map(s -> s.head().info()).iterator();
  }

  @Override
  public synchronized String beginUpload(
      String key, Map<String, String> metadata, String contentType) {
    String upload = "upload-" + ++uploadCount;
    uploads.put(upload, new Upload(key, Map.copyOf(metadata), contentType, new TreeMap<>()));
    return upload;
  }

  @Override
  public synchronized String uploadPart(String key, String upload, int part, MemorySegment body) {
    upload(key, upload).parts().put(part, own(body));
    return Etag.ofContent(body);
  }

  @Override
  public synchronized String copyPart(
      String key, String upload, int part, String source, String etag, long offset, long length) {
    var from = source(source, etag).body();
    return uploadPart(key, upload, part, from.asSlice(offset, length));
  }

  @Override
  public synchronized ObjectInfo completeUpload(
      String key, String upload, List<String> etags, Condition condition) {
    Upload done = upload(key, upload);
    var parts = new ArrayList<MemorySegment>();
    for (int i = 0; i < etags.size(); i++) {
      MemorySegment part = done.parts().get(i + 1);
      if (part == null || !Etag.ofContent(part).equals(etags.get(i))) {
        throw new FsException(Errno.EINVAL, "no such part", "key", key, "part", i + 1);
      }
      parts.add(part);
    }
    requireHolds(key, condition);
    uploads.remove(upload);
    return store(key, join(parts), Etag.ofParts(etags), done.metadata(), done.contentType());
  }

  @Override
  public synchronized void abortUpload(String key, String upload) {
    uploads.remove(upload);
  }

  /** Uploads begun and neither completed nor aborted: what a test looks at for leaks. */
  public synchronized int openUploads() {
    return uploads.size();
  }

  @Override
  public Abilities abilities() {
    return new Abilities(true, true, true);
  }

  @Override
  public void close() {}

  private Stored source(String key, String etag) {
    Stored found = objects.get(key);
    if (found == null) {
      throw new FsException(Errno.ENOENT, "no such object", "bucket", name, "key", key);
    }
    String current = found.head().info().etag();
    if (!etag.isEmpty() && !etag.equals(current)) {
      throw new FsException(
          Errno.ESTALE,
          "the object has changed",
          "bucket",
          name,
          "key",
          key,
          "expected",
          etag,
          "found",
          current);
    }
    return found;
  }

  private Upload upload(String key, String id) {
    Upload found = uploads.get(id);
    if (found == null || !found.key().equals(key)) {
      throw new FsException(
          Errno.ENOENT, "no such upload", "bucket", name, "key", key, "upload", id);
    }
    return found;
  }

  private void requireHolds(String key, Condition condition) {
    var found = Optional.ofNullable(objects.get(key)).map(s -> s.head().info().etag());
    Conditions.require(condition, found, name, key);
  }

  private ObjectInfo store(
      String key,
      MemorySegment body,
      String etag,
      Map<String, String> metadata,
      String contentType) {
    Instant now = clock.instant();
    long mtimeNanos = now.getEpochSecond() * 1_000_000_000L + now.getNano();
    var info = new ObjectInfo(key, body.byteSize(), etag, mtimeNanos, "");
    var head = new ObjectHead(info, Map.copyOf(metadata), contentType, "");
    objects.put(key, new Stored(head, body));
    return info;
  }

  private static MemorySegment own(MemorySegment borrowed) {
    return MemorySegment.ofArray(borrowed.toArray(ValueLayout.JAVA_BYTE));
  }

  private static MemorySegment join(List<MemorySegment> parts) {
    long size = parts.stream().mapToLong(MemorySegment::byteSize).sum();
    var whole = MemorySegment.ofArray(new byte[Math.toIntExact(size)]);
    long at = 0;
    for (MemorySegment part : parts) {
      MemorySegment.copy(part, 0, whole, at, part.byteSize());
      at += part.byteSize();
    }
    return whole;
  }
}
