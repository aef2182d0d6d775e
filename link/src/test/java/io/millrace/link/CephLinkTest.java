package io.millrace.link;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.millrace.testkit.s3.CephRgw;
import io.millrace.testkit.s3.S3Endpoint;
import java.io.IOException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;

@Tag("ceph")
class CephLinkTest extends RealStoreContract {
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
}
