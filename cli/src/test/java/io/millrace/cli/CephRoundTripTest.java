package io.millrace.cli;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.millrace.testkit.s3.CephRgw;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The whole job against Ceph RGW, whose conditional writes are weaker than AWS's. */
@Tag("ceph")
class CephRoundTripTest {
  @Test
  void linkLoadsExportsAndEvicts() throws Exception {
    assumeTrue(CephRgw.missing().isEmpty(), () -> CephRgw.missing().orElseThrow());
    try (var product = new Product();
        var ceph = CephRgw.start()) {
      Path mount = product.directory("mnt");
      product.start(
          mount,
          "up",
          mount.toString(),
          "--dir",
          product.scratch().resolve("store").toString(),
          "--listen",
          "127.0.0.1:" + Product.freePort());
      new RoundTrip(product, ceph.endpoint()).run(mount, mount);
    }
  }
}
