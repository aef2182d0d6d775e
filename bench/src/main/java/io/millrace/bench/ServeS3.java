package io.millrace.bench;

import io.millrace.testkit.s3.NginxObjects;
import io.millrace.testkit.s3.S3ProxyServer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Set;

/**
 * Runs S3Proxy, or nginx, over a directory until standard input ends, for scripts that need a
 * server beside them. Prints one line of JSON when it answers: endpoint, keys, pid.
 */
public final class ServeS3 {
  private ServeS3() {}

  public static void main(String[] args) throws IOException {
    var options = new Arguments(args, Set.of(), Set.of());
    Path objects = Path.of(options.word(1, "DIRECTORY")).toAbsolutePath();
    switch (options.word(0, "s3proxy or nginx")) {
      case "s3proxy" -> {
        try (var server = S3ProxyServer.over(objects)) {
          announce(server.endpoint().uri().toString(), "test:testtest", server.pid());
        }
      }
      case "nginx" -> {
        try (var server = NginxObjects.over(objects)) {
          announce(server.endpoint().uri().toString(), "", server.pid());
        }
      }
      default -> throw new IllegalArgumentException("s3proxy or nginx");
    }
  }

  private static void announce(String endpoint, String keys, long pid) throws IOException {
    var report = new Report().put("endpoint", endpoint).put("keys", keys).put("pid", pid);
    System.out.println(report.json());
    System.in.transferTo(java.io.OutputStream.nullOutputStream());
  }
}
