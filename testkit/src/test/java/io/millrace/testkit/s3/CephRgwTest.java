package io.millrace.testkit.s3;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("ceph")
class CephRgwTest extends ServerContract {
  private static CephRgw ceph;

  @BeforeAll
  static void start() throws IOException {
    var missing = CephRgw.missing();
    assumeTrue(missing.isEmpty(), () -> "Ceph left out: " + missing.orElseThrow());
    ceph = CephRgw.start();
  }

  @AfterAll
  static void stop() {
    if (ceph != null) {
      ceph.close();
    }
  }

  @Override
  S3Endpoint endpoint() {
    return ceph.endpoint();
  }

  @Test
  void takesKeysThatAFileSystemCannotHold() throws IOException {
    try (var s3 = new PlainS3(endpoint())) {
      s3.createBucket("odd");
      for (String key : List.of("a", "a/x", "b//c", "d/./e", "f/../g", "h".repeat(1024))) {
        s3.put("odd", key, new byte[] {7}, Map.of());
        assertEquals(1, s3.get("odd", key).body().length);
      }
      assertEquals(6, s3.keys("odd", "").size());
    }
  }
}
