package io.millrace.testkit.s3;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("s3")
class S3ProxyServerTest extends ServerContract {
  private static S3ProxyServer server;

  @BeforeAll
  static void start() throws IOException {
    server = S3ProxyServer.start();
  }

  @AfterAll
  static void stop() {
    server.close();
    assertFalse(Files.exists(server.objects()));
  }

  @Override
  S3Endpoint endpoint() {
    return server.endpoint();
  }

  @Test
  void objectsStayWhenTheServerIsKilledAndComesBackOnItsPort(@TempDir Path directory)
      throws IOException {
    Path objects = directory.resolve("objects");
    S3Endpoint first;
    try (var killed = S3ProxyServer.over(objects)) {
      first = killed.endpoint();
      try (var s3 = new PlainS3(first)) {
        s3.createBucket("bkt");
        s3.put("bkt", "k", new byte[] {1, 2, 3}, Map.of());
        killed.kill();
        assertThrows(IOException.class, () -> s3.get("bkt", "k"));
      }
    }
    try (var again = S3ProxyServer.over(objects, first.uri().getPort());
        var s3 = new PlainS3(first)) {
      assertEquals(first, again.endpoint());
      assertArrayEquals(new byte[] {1, 2, 3}, s3.get("bkt", "k").body());
    }
    assertTrue(Files.exists(objects.resolve("bkt").resolve("k")));
  }

  @Test
  void aTakenPortIsNamed(@TempDir Path directory) throws IOException {
    try (var holder = S3ProxyServer.over(directory.resolve("a"))) {
      int taken = holder.endpoint().uri().getPort();
      var e =
          assertThrows(
              IOException.class,
              () -> S3ProxyServer.over(directory.resolve("other"), taken).close());
      assertTrue(e.getMessage().contains("taken"), e.getMessage());
    }
  }
}
