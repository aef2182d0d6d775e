package io.millrace.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.testkit.s3.PlainS3;
import io.millrace.testkit.s3.S3Endpoint;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;

/**
 * The main job on a running product and a real bucket: link, import, lazy load, preload, export,
 * evict, read again; a second S3 client looks at the bucket.
 */
final class RoundTrip {
  private static final String BUCKET = "lake";

  private final Product product;
  private final S3Endpoint s3;

  RoundTrip(Product product, S3Endpoint s3) {
    this.product = product;
    this.s3 = s3;
  }

  /**
   * @param writer a mount in default mode
   * @param reader another mount of the same store, or the same one
   */
  void run(Path writer, Path reader) throws IOException, InterruptedException {
    try (var plain = new PlainS3(s3)) {
      fill(plain);
      link(writer);
      lazyThenPreloaded(writer, reader);
      exported(writer, plain);
      evicted(writer, reader);
    }
  }

  private static void fill(PlainS3 plain) throws IOException {
    plain.createBucket(BUCKET);
    for (int i = 0; i < 50; i++) {
      byte[] content = ("content " + i).getBytes(StandardCharsets.UTF_8);
      plain.put(BUCKET, "in/d" + i % 5 + "/f" + i, content, Map.of());
    }
  }

  private void link(Path writer) throws IOException, InterruptedException {
    Path keys = s3.writeCredentials(product.scratch().resolve("credentials"));
    product
        .millrace(
            "link",
            "add",
            writer + "/l",
            "s3://" + BUCKET + "/in/",
            "--endpoint",
            s3.uri().toString(),
            "--credentials",
            keys.toString(),
            "--auto-export",
            "new,changed,deleted")
        .expect(0);
    product.millrace("import", writer + "/l", "--wait").expect(0);
    assertEquals("50\n", product.shell(writer, "find l -type f | wc -l").expect(0).out());
    assertState(writer, "cold");
  }

  private void lazyThenPreloaded(Path writer, Path reader)
      throws IOException, InterruptedException {
    assertEquals("content 7", product.shell(reader, "cat l/d2/f7").expect(0).out());
    product.millrace("preload", writer + "/l", "--wait").expect(0);
    assertState(writer, "cached");
    assertEquals("50\n", product.shell(reader, "cat l/*/* | grep -o content | wc -l").out());
  }

  private void exported(Path writer, PlainS3 plain) throws IOException, InterruptedException {
    product.shell(writer, "echo new > l/new; echo changed > l/d0/f0; rm l/d1/f1").expect(0);
    product.millrace("wait", "--exported", writer + "/l", "--timeout", "60s").expect(0);
    assertEquals("new\n", plain.get(BUCKET, "in/new").text());
    assertEquals("changed\n", plain.get(BUCKET, "in/d0/f0").text());
    assertFalse(plain.exists(BUCKET, "in/d1/f1"), "the deleted file's object is still there");
  }

  private void evicted(Path writer, Path reader) throws IOException, InterruptedException {
    product.millrace("evict", writer + "/l", "--wait").expect(0);
    assertState(writer, "cold");
    assertEquals("changed\n", product.shell(reader, "cat l/d0/f0").expect(0).out());
  }

  /** All files of the link are in this one state. */
  private void assertState(Path writer, String state) throws IOException, InterruptedException {
    String text = product.millrace("state", "-r", writer + "/l").expect(0).out();
    assertTrue(text.startsWith(state) && text.lines().count() == 1, text);
  }
}
