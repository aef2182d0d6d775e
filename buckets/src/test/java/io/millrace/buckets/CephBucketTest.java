package io.millrace.buckets;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.millrace.core.api.Bucket;
import io.millrace.testkit.s3.CephRgw;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;

@Tag("ceph")
class CephBucketTest extends S3ServerContract {
  private static CephRgw ceph;
  @TempDir private static Path directory;

  @BeforeAll
  static void start() throws IOException {
    var missing = CephRgw.missing();
    assumeTrue(missing.isEmpty(), () -> "Ceph left out: " + missing.orElseThrow());
    ceph = CephRgw.start();
    createBucket(ceph.endpoint());
  }

  @AfterAll
  static void stop() {
    if (ceph != null) {
      ceph.close();
    }
  }

  @Override
  Bucket open() throws IOException {
    return open(ceph.endpoint(), directory);
  }

  /** 16.2 refuses If-Match with the right etag too, and DELETE ignores it. */
  @Override
  Bucket.Abilities expectedAbilities() {
    return new Bucket.Abilities(true, false, false);
  }
}
