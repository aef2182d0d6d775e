package io.millrace.buckets;

import io.millrace.core.api.Bucket;
import io.millrace.testkit.s3.S3ProxyServer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Comparator;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;

@Tag("s3")
class S3ProxyBucketTest extends S3ServerContract {
  private static S3ProxyServer server;
  @TempDir private static Path directory;

  @BeforeAll
  static void start() throws IOException {
    server = S3ProxyServer.start();
    createBucket(server.endpoint());
  }

  @AfterAll
  static void stop() {
    if (server != null) {
      server.close();
    }
  }

  @Override
  Bucket open() throws IOException {
    return open(server.endpoint(), directory);
  }

  /** A file system below: no {@code a} beside {@code a/x}. */
  @Override
  boolean holdsOddKeys() {
    return false;
  }

  /** It sorts keys as Java strings: surrogates before U+E000, where UTF-8 has them after. */
  @Override
  Comparator<String> listOrder() {
    return Comparator.naturalOrder();
  }
}
