package io.millrace.bench;

import io.millrace.testkit.s3.NginxObjects;
import io.millrace.testkit.s3.S3ProxyServer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Set;

/**
 * Runs S3Proxy or nginx over a directory, or a server that only lists objects that it makes up,
 * until standard input ends, for scripts that need a server beside them. Prints one line of JSON
 * when it answers: endpoint, keys, pid.
 */
public final class ServeS3 {
  private ServeS3() {}

  public static void main(String[] args) throws IOException {
    var options = new Arguments(args, Set.of(), Set.of());
    switch (options.word(0, "s3proxy, nginx or listing")) {
      case "s3proxy" -> {
        try (var server = S3ProxyServer.over(directory(options))) {
          announce(server.endpoint().uri().toString(), "test:testtest", server.pid());
        }
      }
      case "nginx" -> {
        try (var server = NginxObjects.over(directory(options))) {
          announce(server.endpoint().uri().toString(), "", server.pid());
        }
      }
      case "listing" -> {
        try (var server = new ListingServer(Integer.parseInt(options.word(1, "OBJECTS")))) {
          announce(server.endpoint(), "any:any", ProcessHandle.current().pid());
        }
      }
      default -> throw new IllegalArgumentException("s3proxy, nginx or listing");
    }
  }

  private static Path directory(Arguments options) {
    return Path.of(options.word(1, "DIRECTORY")).toAbsolutePath();
  }

  private static void announce(String endpoint, String keys, long pid) throws IOException {
    var report = new Report().put("endpoint", endpoint).put("keys", keys).put("pid", pid);
    System.out.println(report.json());
    System.in.transferTo(java.io.OutputStream.nullOutputStream());
  }
}
