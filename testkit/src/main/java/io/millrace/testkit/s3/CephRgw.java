package io.millrace.testkit.s3;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * A one-node Ceph with its S3 gateway, in memory: the second S3 server of the tests, for what
 * {@link S3ProxyServer} lacks (odd keys, versioning, notifications, tags). Needs root and Debian's
 * radosgw, ceph-mon and ceph-osd; starts in 10 to 20 s. Keys {@code test}/{@code testtest}.
 *
 * <p>What 16.2 gets wrong: PUT If-Match refuses the right etag, CompleteMultipartUpload
 * If-None-Match and DELETE If-Match are ignored, GetObjectAttributes fails with 500, and the AWS
 * SDK's default checksums are refused with 400 (use WHEN_REQUIRED).
 */
public final class CephRgw implements AutoCloseable {
  private static final Duration START_LIMIT = Duration.ofMinutes(3);
  private static final List<String> BINARIES =
      List.of("ceph", "ceph-mon", "ceph-osd", "monmaptool", "radosgw", "radosgw-admin");

  private final ChildServer server;
  private final S3Endpoint endpoint;

  private CephRgw(ChildServer server, S3Endpoint endpoint) {
    this.server = server;
    this.endpoint = endpoint;
  }

  /** Why Ceph can't be started here, or nothing when it can. */
  public static Optional<String> missing() {
    var absent = BINARIES.stream().filter(name -> !installed(name)).toList();
    if (!absent.isEmpty()) {
      return Optional.of("no " + absent + "; apt-get install radosgw ceph-mon ceph-osd");
    }
    return "root".equals(System.getProperty("user.name"))
        ? Optional.empty()
        : Optional.of("Ceph needs root here");
  }

  private static boolean installed(String name) {
    return Files.isExecutable(Path.of("/usr/bin", name));
  }

  public static CephRgw start() throws IOException {
    var scratch = ScratchDirectory.create("millrace-ceph-");
    int port = FreePort.pick();
    var command =
        List.of(
            SourceTree.find(Path.of("testkit", "ceph", "rgw-start.sh")).toString(),
            scratch.path().resolve("cluster").toString(),
            Integer.toString(port),
            Integer.toString(FreePort.pick()),
            "memstore");
    var server = ChildServer.start(scratch, "TERM", command, port, START_LIMIT);
    return new CephRgw(server, S3Endpoint.local(port, "test", "testtest"));
  }

  public S3Endpoint endpoint() {
    return endpoint;
  }

  @Override
  public void close() {
    server.close();
  }
}
