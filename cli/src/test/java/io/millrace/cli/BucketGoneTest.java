package io.millrace.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.testkit.s3.PlainS3;
import io.millrace.testkit.s3.S3ProxyServer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** H22: the bucket goes away while a reader waits, and comes back. */
@Tag("s3")
class BucketGoneTest {
  private static final String BUCKET = "going";

  @Test
  void H22_readersEndAndCachedContentGoesOn() throws Exception {
    try (var product = new Product();
        var s3 = S3ProxyServer.start();
        var plain = new PlainS3(s3.endpoint())) {
      plain.createBucket(BUCKET);
      for (String name : new String[] {"cached", "cold", "later"}) {
        plain.put(BUCKET, name, name.getBytes(StandardCharsets.UTF_8), Map.of());
      }
      Path mount = product.directory("mnt");
      String server = "127.0.0.1:" + Product.freePort();
      Path keys = s3.endpoint().writeCredentials(product.scratch().resolve("credentials"));
      product.start(
          mount,
          "up",
          mount.toString(),
          "--dir",
          product.scratch().resolve("store").toString(),
          "--listen",
          server,
          "--read-deadline",
          "10s");
      product
          .millrace(
              "link",
              "add",
              "/l",
              "s3://" + BUCKET,
              "--server",
              server,
              "--endpoint",
              s3.endpoint().uri().toString(),
              "--credentials",
              keys.toString(),
              "--auto-export",
              "new,changed")
          .expect(0);
      product.millrace("import", "/l", "--wait", "--server", server).expect(0);
      product.shell(mount, "cat l/cached").expect(0);
      s3.kill();

      assertEquals("cached", product.shell(mount, "cat l/cached").expect(0).out());
      var cold = product.shell(mount, "cat l/cold");
      assertEquals(1, cold.exit());
      assertTrue(cold.out().contains("Input/output error"), cold.out());
      String reason =
          product
              .shell(mount, "getfattr --only-values -n user.millrace.reason l/cold")
              .expect(0)
              .out();
      assertTrue(reason.contains(BUCKET), reason);

      // A reader that waits dies at once when it is killed.
      long started = System.nanoTime();
      product.shell(mount, "timeout -s KILL 1 cat l/later; true").expect(0);
      assertTrue(
          TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - started) < 4, "kill -9 had to wait");

      // Writes go on, and are exported when the bucket is back.
      product.shell(mount, "echo written > l/written").expect(0);
      try (var _ = S3ProxyServer.over(s3.objects(), s3.endpoint().uri().getPort())) {
        product
            .millrace("wait", "--exported", "/l", "--timeout", "60s", "--server", server)
            .expect(0);
        assertEquals("written\n", plain.get(BUCKET, "written").text());
        assertEquals("cold", product.shell(mount, "cat l/cold").expect(0).out());
      }
    }
  }
}
