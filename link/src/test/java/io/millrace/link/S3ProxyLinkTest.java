package io.millrace.link;

import io.millrace.testkit.s3.S3Endpoint;
import io.millrace.testkit.s3.S3ProxyServer;
import java.io.IOException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;

@Tag("s3")
class S3ProxyLinkTest extends RealStoreContract {
  private static S3ProxyServer server;

  @BeforeAll
  static void start() throws IOException {
    server = S3ProxyServer.start();
  }

  @AfterAll
  static void stop() {
    if (server != null) {
      server.close();
    }
  }

  @Override
  S3Endpoint endpoint() {
    return server.endpoint();
  }
}
