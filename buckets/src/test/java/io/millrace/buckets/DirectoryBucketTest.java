package io.millrace.buckets;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.core.api.Bucket;
import io.millrace.core.api.Bucket.Condition;
import io.millrace.core.api.Bucket.ObjectInfo;
import io.millrace.core.api.Errno;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DirectoryBucketTest extends BucketContract {
  @TempDir private Path directory;

  @Override
  Bucket open() {
    return new DirectoryBucket(directory);
  }

  @Test
  void filesOfOthersAreObjects() throws IOException {
    Files.createDirectories(directory.resolve("data/b"));
    Files.writeString(directory.resolve("data/b/1"), "one");
    Files.writeString(directory.resolve("data/b.txt"), "two");
    Files.createSymbolicLink(directory.resolve("data/link"), Path.of("b.txt"));
    var page = bucket.list("", "", "", "", 10);
    assertEquals(
        List.of("data/b.txt", "data/b/1"), page.objects().stream().map(ObjectInfo::key).toList());
    String etag = page.objects().getFirst().etag();
    assertEquals("two", get("data/b.txt", etag, 0, 10));
    Files.writeString(directory.resolve("data/b.txt"), "changed");
    assertErrno(Errno.ESTALE, () -> get("data/b.txt", etag, 0, 10));
  }

  @Test
  void objectsAreFilesOfTheSameName() throws IOException {
    put("a/b", "text", Condition.ALWAYS);
    assertEquals("text", Files.readString(directory.resolve("a/b")));
    bucket.delete("a/b", Condition.ALWAYS);
    assertTrue(Files.notExists(directory.resolve("a")));
  }

  @Test
  void metadataGoesWithItsVersion() throws IOException {
    bucket.put("a", bytes("1"), Map.of("k", "v"), "", Condition.ALWAYS);
    Files.writeString(directory.resolve("a"), "by another program");
    assertEquals(Map.of(), bucket.head("a").orElseThrow().metadata());
  }

  @Test
  void nothingIsLeftBehind() throws IOException {
    bucket.put("a", bytes("1"), Map.of("k", "v"), "", Condition.ALWAYS);
    bucket.put("a", bytes("2"), Map.of("k", "w"), "", Condition.ALWAYS);
    assertErrno(Errno.EEXIST, () -> put("a", "3", Condition.ABSENT));
    bucket.delete("a", Condition.ALWAYS);
    try (var left = Files.walk(directory)) {
      assertEquals(List.of(), left.filter(Files::isRegularFile).toList());
    }
  }

  @Test
  void missingDirectoryIsTold() {
    try (var missing = new DirectoryBucket(directory.resolve("none"))) {
      assertErrno(Errno.ENOENT, missing::check);
    }
  }
}
