package io.millrace.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.testkit.s3.PlainS3;
import io.millrace.testkit.s3.S3ProxyServer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A store with room for 16 MiB: what fits stays, what doesn't is refused or passed through. */
@Tag("s3")
class SmallStoreTest {
  private Product product;
  private Path mount;
  private String server;

  @BeforeEach
  void up() throws IOException {
    product = new Product();
    mount = product.directory("mnt");
    server = "127.0.0.1:" + Product.freePort();
    product.start(
        mount,
        "up",
        mount.toString(),
        "--dir",
        product.scratch().resolve("store").toString(),
        "--listen",
        server,
        "--capacity",
        "16MiB");
  }

  @AfterEach
  void down() throws IOException {
    product.close();
  }

  @Test
  void fullDiskIsSaidAndNothingIsLost() throws Exception {
    product.shell(mount, "head -c 4M /dev/urandom > kept && sha256sum kept > kept.sum").expect(0);
    var full = product.shell(mount, "head -c 64M /dev/zero > big");
    assertNotEquals(0, full.exit());
    assertTrue(full.out().contains("No space left on device"), full.out());
    product.shell(mount, "sha256sum -c kept.sum && rm -f big kept").expect(0);
    // The collector gives the room of the removed file back: polled, for at most a minute.
    String again =
        "for i in $(seq 120); do head -c 2M /dev/zero > again && exit 0; sleep 0.5; done";
    product.shell(mount, again + "; exit 1").expect(0);
  }

  @Test
  void S21_fileLargerThanTheCacheIsReadThrough() throws Exception {
    byte[] content = new byte[40 << 20];
    new Random(21).nextBytes(content);
    try (var s3 = S3ProxyServer.start();
        var plain = new PlainS3(s3.endpoint())) {
      plain.createBucket("lake");
      plain.put("lake", "big", content, Map.of());
      Path keys = s3.endpoint().writeCredentials(product.scratch().resolve("credentials"));
      String endpoint = s3.endpoint().uri().toString();
      product
          .millrace(
              "link",
              "add",
              mount + "/l",
              "s3://lake",
              "--endpoint",
              endpoint,
              "--credentials",
              keys.toString())
          .expect(0);
      product.millrace("import", mount + "/l", "--wait").expect(0);
      Path copy = product.scratch().resolve("copy");
      product.shell(mount, "cp l/big " + copy).expect(0);
      String wanted = product.shell(s3.objects(), "sha256sum < lake/big").expect(0).out();
      assertEquals(wanted, product.shell(mount, "sha256sum < " + copy).expect(0).out());
      assertEquals(wanted, product.shell(mount, "sha256sum < l/big").expect(0).out());
    }
  }
}
