package io.millrace.buckets;

import io.millrace.core.api.Bucket.ObjectInfo;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;

/** What tells one state of a file from another. */
record FileVersion(long ino, long size, long mtimeNanos) {
  private static final long NANOS_PER_SECOND = 1_000_000_000L;

  static FileVersion of(Path path) throws IOException {
    var attributes = Files.readAttributes(path, "unix:ino,size,lastModifiedTime");
    Instant mtime = ((FileTime) attributes.get("lastModifiedTime")).toInstant();
    return new FileVersion(
        (Long) attributes.get("ino"),
        (Long) attributes.get("size"),
        mtime.getEpochSecond() * NANOS_PER_SECOND + mtime.getNano());
  }

  String etag() {
    return "%x-%x-%x".formatted(ino, size, mtimeNanos);
  }

  ObjectInfo info(String key) {
    return new ObjectInfo(key, size, etag(), mtimeNanos, "");
  }
}
