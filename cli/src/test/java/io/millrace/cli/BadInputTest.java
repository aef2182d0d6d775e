package io.millrace.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.testkit.s3.PlainS3;
import io.millrace.testkit.s3.S3Endpoint;
import io.millrace.testkit.s3.S3ProxyServer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * What users get wrong, and what goes wrong under them: the message says what, why, the way out.
 */
@Tag("s3")
class BadInputTest {
  private static final String BUCKET = "bad-input";

  private static S3ProxyServer s3;
  private static PlainS3 plain;
  private static Product product;
  private static Path mount;
  private static Path store;
  private static Path credentials;
  private static String server;

  @BeforeAll
  static void up() throws IOException {
    s3 = S3ProxyServer.start();
    plain = new PlainS3(s3.endpoint());
    plain.createBucket(BUCKET);
    plain.put(BUCKET, "data/one", "content".getBytes(StandardCharsets.UTF_8), Map.of());
    product = new Product();
    mount = product.directory("mnt");
    store = product.scratch().resolve("store");
    credentials = s3.endpoint().writeCredentials(product.scratch().resolve("credentials"));
    server = "127.0.0.1:" + Product.freePort();
    product.start(mount, "up", mount.toString(), "--dir", store.toString(), "--listen", server);
  }

  @AfterAll
  static void down() throws IOException, InterruptedException {
    product.close();
    plain.close();
    s3.close();
  }

  private static Product.Outcome link(String path, String bucket, String endpoint, Path keys)
      throws IOException, InterruptedException {
    return product.millrace(
        "link",
        "add",
        path,
        "s3://" + bucket,
        "--server",
        server,
        "--endpoint",
        endpoint,
        "--credentials",
        keys.toString());
  }

  private static void says(Product.Outcome outcome, int exit, String... parts) {
    assertEquals(exit, outcome.exit(), outcome.out());
    for (String part : parts) {
      assertTrue(outcome.out().contains(part), "'" + part + "' is not in: " + outcome.out());
    }
  }

  private static String endpoint() {
    return s3.endpoint().uri().toString();
  }

  @Test
  void unknownBucket() throws Exception {
    says(link("/a", "no-such-bucket", endpoint(), credentials), 1, "no-such-bucket", "bucket");
  }

  @Test
  void wrongCredentials() throws Exception {
    var wrong = new S3Endpoint(s3.endpoint().uri(), "test", "not-the-secret");
    Path keys = wrong.writeCredentials(product.scratch().resolve("wrong"));
    var outcome = link("/b", BUCKET, endpoint(), keys);
    says(outcome, 1, "credentials");
    assertTrue(!outcome.out().contains("not-the-secret"), "S26: the secret is in the message");
  }

  @Test
  void endpointDown() throws Exception {
    String dead = "http://127.0.0.1:" + Product.freePort();
    says(link("/c", BUCKET, dead, credentials), 1, dead);
  }

  @Test
  void prefixWithNothingInItIsImportedAsNothing() throws Exception {
    says(link("/empty", BUCKET + "/nothing-here/", endpoint(), credentials), 0);
    says(product.millrace("import", "/empty", "--wait", "--server", server), 0, "0 files done");
  }

  @Test
  void mountPointMissing() throws Exception {
    Path missing = product.scratch().resolve("missing");
    says(
        product.millrace(
            "up",
            missing.toString(),
            "--dir",
            product.scratch().resolve("s2").toString(),
            "--listen",
            "127.0.0.1:0"),
        1,
        missing.toString(),
        "mkdir");
  }

  @Test
  void mountPointNotEmpty() throws Exception {
    Path full = product.directory("full");
    Files.writeString(full.resolve("file"), "x");
    says(
        product.millrace(
            "up",
            full.toString(),
            "--dir",
            product.scratch().resolve("s3").toString(),
            "--listen",
            "127.0.0.1:0"),
        1,
        full.toString(),
        "empty");
  }

  @Test
  void mountPointBusy() throws Exception {
    says(product.millrace("mount", server, mount.toString()), 1, mount.toString());
  }

  @Test
  void portTaken() throws Exception {
    says(
        product.millrace(
            "node", "--dir", product.scratch().resolve("s4").toString(), "--listen", server),
        1,
        server.substring(server.indexOf(':') + 1),
        "--listen");
  }

  @Test
  void secondNodeOnTheSameDirectory() throws Exception {
    says(
        product.millrace("node", "--dir", store.toString(), "--listen", "127.0.0.1:0"),
        1,
        store.toString());
  }

  @Test
  void noNodeThere() throws Exception {
    says(
        product.millrace("status", "--server", "127.0.0.1:" + Product.freePort()),
        Main.NO_CONNECTION,
        "127.0.0.1");
  }

  @Test
  void mountOfANodeThatIsNotThere() throws Exception {
    Path point = product.directory("mnt2");
    says(
        product.millrace("mount", "127.0.0.1:" + Product.freePort(), point.toString()),
        Main.NO_CONNECTION,
        "127.0.0.1");
  }

  @Test
  void pathOutsideAnyLink() throws Exception {
    product.shell(mount, "mkdir -p unlinked").expect(0);
    says(
        product.millrace("import", "/unlinked", "--wait", "--server", server),
        1,
        "/unlinked",
        "link");
    says(
        product.millrace("preload", "/does/not/exist", "--wait", "--server", server),
        1,
        "/does/not/exist");
  }

  @Test
  void linkInsideALink() throws Exception {
    says(link("/outer", BUCKET + "/data/", endpoint(), credentials), 0);
    says(link("/outer/inner", BUCKET + "/data/", endpoint(), credentials), 1, "/outer");
  }

  @Test
  void usage() throws Exception {
    says(product.millrace("link", "add", "/x"), Main.USAGE);
    says(product.millrace("no-such-command"), Main.USAGE);
    says(
        product.millrace("link", "add", "/x", "http://bucket", "--server", server),
        Main.USAGE,
        "s3://");
  }

  @Test
  void nameThatIsTooLong() throws Exception {
    says(product.shell(mount, "touch $(printf 'n%.0s' $(seq 256))"), 1, "File name too long");
  }
}
