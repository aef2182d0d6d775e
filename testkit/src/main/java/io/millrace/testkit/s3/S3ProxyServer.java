package io.millrace.testkit.s3;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * S3Proxy over a directory: the S3 server of the tests and of the demo. It runs as a child process,
 * since it brings an AWS SDK of another version than ours. Each bucket is a directory under {@link
 * #objects}, each object a file. Keys {@code test}/{@code testtest}.
 *
 * <p>What it can't do: a key {@code a} beside {@code a/x}, {@code //} or {@code ..} in keys, parts
 * over 255 bytes, versioning, notifications, tags, DELETE If-Match. Use {@link CephRgw} for those.
 */
public final class S3ProxyServer implements AutoCloseable {
  private static final Duration START_LIMIT = Duration.ofSeconds(60);

  private final ChildServer server;
  private final S3Endpoint endpoint;
  private final Path objects;

  private S3ProxyServer(ChildServer server, S3Endpoint endpoint, Path objects) {
    this.server = server;
    this.endpoint = endpoint;
    this.objects = objects;
  }

  /** Starts over a new directory that goes with the server. */
  public static S3ProxyServer start() throws IOException {
    var scratch = ScratchDirectory.create("millrace-s3proxy-");
    return launch(scratch.path().resolve("objects"), scratch, FreePort.pick());
  }

  /** Starts over {@code objects}, which stays when the server is closed. */
  public static S3ProxyServer over(Path objects) throws IOException {
    return over(objects, FreePort.pick());
  }

  /** As {@link #over(Path)}, on a given port: for a server that comes back after an outage. */
  public static S3ProxyServer over(Path objects, int port) throws IOException {
    return launch(objects, ScratchDirectory.create("millrace-s3proxy-"), port);
  }

  private static S3ProxyServer launch(Path objects, ScratchDirectory scratch, int port)
      throws IOException {
    Files.createDirectories(objects);
    Path fetch = SourceTree.find(Path.of("testkit", "s3proxy", "fetch.sh"));
    Path settings = Files.writeString(scratch.path().resolve("conf"), settings(objects, port));
    var command =
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Xmx384m",
            "--sun-misc-unsafe-memory-access=allow",
            "-Dlogback.configurationFile=" + fetch.resolveSibling("logback.xml"),
            "-cp",
            S3ProxyJars.fetch(fetch) + "/*",
            "org.gaul.s3proxy.Main",
            "--properties",
            settings.toString());
    var server = ChildServer.start(scratch, "KILL", command, port, START_LIMIT);
    return new S3ProxyServer(server, S3Endpoint.local(port, "test", "testtest"), objects);
  }

  private static String settings(Path objects, int port) {
    return """
        s3proxy.endpoint=http://127.0.0.1:%d
        s3proxy.authorization=aws-v2-or-v4
        s3proxy.identity=test
        s3proxy.credential=testtest
        jclouds.provider=filesystem-nio2
        jclouds.filesystem.basedir=%s
        """
        .formatted(port, objects.toAbsolutePath());
  }

  public S3Endpoint endpoint() {
    return endpoint;
  }

  public Path objects() {
    return objects;
  }

  /** The process to charge for CPU time. */
  public long pid() {
    return server.pid();
  }

  /** Kills the server as an outage would; bring it back by {@link #over(Path, int)} on its port. */
  public void kill() {
    server.kill();
  }

  @Override
  public void close() {
    server.close();
  }
}
