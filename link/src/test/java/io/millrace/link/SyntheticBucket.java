package io.millrace.link;

import io.millrace.core.api.Bucket;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A listing of any number of keys, made as it is asked for: 1000 files in each directory. */
final class SyntheticBucket implements Bucket {
  private final int objects;

  SyntheticBucket(int objects) {
    this.objects = objects;
  }

  private static ObjectInfo info(int i) {
    String key = String.format("train/class-%05d/sample-%08d.jpeg", i / 1000, i);
    String etag = String.format("%032x", i * 0x9E3779B97F4A7C15L);
    return new ObjectInfo(key, 4096 + i % 100_000, etag, 1_700_000_000_000_000_000L + i, "");
  }

  @Override
  public Page list(String prefix, String token, String startAfter, String delimiter, int maxKeys) {
    int from = token.isEmpty() ? 0 : Integer.parseInt(token);
    int to = Math.min(objects, from + maxKeys);
    var page = new ArrayList<ObjectInfo>(to - from);
    for (int i = from; i < to; i++) {
      page.add(info(i));
    }
    Optional<String> next = to < objects ? Optional.of(Integer.toString(to)) : Optional.empty();
    return new Page(page, List.of(), next);
  }

  private static FsException unsupported() {
    return new FsException(Errno.EOPNOTSUPP, "only lists");
  }

  @Override
  public String name() {
    return "synthetic";
  }

  @Override
  public void check() {}

  @Override
  public Optional<ObjectHead> head(String key) {
    return Optional.empty();
  }

  @Override
  public int get(String key, String etag, long offset, MemorySegment target) {
    throw unsupported();
  }

  @Override
  public ObjectInfo put(
      String key,
      MemorySegment body,
      Map<String, String> metadata,
      String contentType,
      Condition condition) {
    throw unsupported();
  }

  @Override
  public ObjectInfo copy(
      String source, String sourceEtag, String target, Optional<Map<String, String>> metadata) {
    throw unsupported();
  }

  @Override
  public void delete(String key, Condition condition) {
    throw unsupported();
  }

  @Override
  public String beginUpload(String key, Map<String, String> metadata, String contentType) {
    throw unsupported();
  }

  @Override
  public String uploadPart(String key, String upload, int part, MemorySegment body) {
    throw unsupported();
  }

  @Override
  public String copyPart(
      String key, String upload, int part, String source, String etag, long offset, long length) {
    throw unsupported();
  }

  @Override
  public ObjectInfo completeUpload(
      String key, String upload, List<String> etags, Condition condition) {
    throw unsupported();
  }

  @Override
  public void abortUpload(String key, String upload) {}

  @Override
  public Abilities abilities() {
    return new Abilities(true, true, true);
  }

  @Override
  public void close() {}
}
