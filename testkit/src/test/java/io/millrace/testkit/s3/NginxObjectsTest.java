package io.millrace.testkit.s3;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("s3")
class NginxObjectsTest {
  @TempDir Path directory;
  private Path bucket;

  @BeforeEach
  void makeBucket() throws IOException {
    assumeTrue(NginxObjects.available(), "no nginx (apt-get install nginx-light)");
    bucket = Files.createDirectories(directory.resolve("bkt"));
  }

  @Test
  void servesObjectsRangesAndConditions() throws IOException {
    Files.writeString(bucket.resolve("k"), "hello");
    try (var nginx = NginxObjects.over(directory);
        var s3 = new PlainS3(nginx.endpoint())) {
      var answer = s3.get("bkt", "k");
      assertEquals("hello", answer.text());
      assertEquals(206, get(s3, "k", "range", "bytes=1-2").status());
      assertEquals("el", get(s3, "k", "range", "bytes=1-2").text());
      assertEquals(200, get(s3, "k", "if-match", answer.header("etag")).status());
      assertEquals(412, get(s3, "k", "if-match", "\"other\"").status());
      assertFalse(s3.exists("bkt", "absent"));
    }
    assertTrue(Files.exists(bucket.resolve("k")));
  }

  @Test
  void listsAllPagesWithTheEtagsItServes() throws IOException {
    var named = IntStream.range(0, 2001).mapToObj("d/%05d&x"::formatted).toList();
    Files.createDirectories(bucket.resolve("d"));
    for (String key : named) {
      Files.writeString(bucket.resolve(key), key);
    }
    try (var nginx = NginxObjects.over(directory);
        var s3 = new PlainS3(nginx.endpoint())) {
      assertEquals(named, s3.keys("bkt", ""));
      String page = s3.request("GET", "bkt", "", "list-type=2", Map.of(), new byte[0]).text();
      String etag = s3.get("bkt", named.getFirst()).header("etag");
      assertTrue(page.contains(etag.replace("\"", "&quot;")), etag);
      assertEquals(
          501, s3.request("GET", "bkt", "", "delimiter=%2F", Map.of(), new byte[0]).status());
    }
  }

  private static PlainS3.Answer get(PlainS3 s3, String key, String header, String value)
      throws IOException {
    return s3.request("GET", "bkt", key, "", Map.of(header, value), new byte[0]);
  }
}
