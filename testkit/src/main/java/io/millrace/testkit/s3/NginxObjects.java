package io.millrace.testkit.s3;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * nginx over a directory: a read-only object endpoint ({@code /bucket/key}, path style, etags,
 * ranges, If-Match; signatures are not looked at) that costs so little that a measurement shows the
 * client. LIST (version 2, no delimiter) answers with the whole bucket as it was at start, whatever
 * prefix was asked for.
 */
public final class NginxObjects implements AutoCloseable {
  private static final Path BINARY = Path.of("/usr/sbin/nginx");
  private static final Duration START_LIMIT = Duration.ofSeconds(20);

  private final ChildServer server;
  private final S3Endpoint endpoint;

  private NginxObjects(ChildServer server, S3Endpoint endpoint) {
    this.server = server;
    this.endpoint = endpoint;
  }

  public static boolean available() {
    return Files.isExecutable(BINARY);
  }

  /** Serves {@code objects}, whose directories are the buckets; they stay when this is closed. */
  public static NginxObjects over(Path objects) throws IOException {
    var scratch = ScratchDirectory.create("millrace-nginx-");
    int port = FreePort.pick();
    String prefix = scratch.path().toString();
    Path settings = scratch.path().resolve("conf");
    Files.writeString(settings, settings(prefix, objects, port));
    writeListings(objects, scratch.path().resolve("list"));
    var command =
        List.of(BINARY.toString(), "-e", "stderr", "-p", prefix, "-c", settings.toString());
    // TERM, not KILL: workers outlive a killed master.
    var server = ChildServer.start(scratch, "TERM", command, port, START_LIMIT);
    return new NginxObjects(server, S3Endpoint.anonymous(port));
  }

  private static void writeListings(Path objects, Path target) throws IOException {
    try (var buckets = Files.newDirectoryStream(objects, Files::isDirectory)) {
      for (Path bucket : buckets) {
        new ListingPages(bucket).write(target.resolve(bucket.getFileName()));
      }
    }
  }

  private static String settings(String scratch, Path objects, int port) {
    return """
        daemon off;
        worker_processes 2;
        user %4$s;
        pid %1$s/nginx.pid;
        error_log stderr warn;
        events { worker_connections 1024; }
        http {
          access_log off;
          client_body_temp_path %1$s/body; proxy_temp_path %1$s/proxy; fastcgi_temp_path %1$s/fastcgi;
          uwsgi_temp_path %1$s/uwsgi; scgi_temp_path %1$s/scgi;
          sendfile on; tcp_nopush on; tcp_nodelay on;
          keepalive_timeout 300; keepalive_requests 100000000;
          etag on; default_type application/octet-stream;
          map $args $page { default first; ~continuation-token=(?<token>p[0-9]+) $token; }
          server {
            listen 127.0.0.1:%2$d;
            location / { root %3$s; }
            location ~ ^/(?<bucket>[^/]+)/?$ {
              if ($args ~ delimiter=[^&]) { return 501; }
              default_type application/xml; types { }
              root %1$s/list; try_files /$bucket/$page.xml =404;
            }
          }
        }
        """
        .formatted(scratch, port, objects.toAbsolutePath(), System.getProperty("user.name"));
  }

  public S3Endpoint endpoint() {
    return endpoint;
  }

  /** The master process; its workers are its children. */
  public long pid() {
    return server.pid();
  }

  @Override
  public void close() {
    server.close();
  }
}
