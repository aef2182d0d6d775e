package io.millrace.buckets.http;

import java.net.URI;

/** A server to connect to, and whether TLS is spoken there. */
public record Origin(boolean tls, String host, int port) {
  private static final int HTTP_PORT = 80;
  private static final int HTTPS_PORT = 443;

  public Origin {
    if (host.isEmpty() || port <= 0 || port > 0xffff) {
      throw new IllegalArgumentException("no server: " + host + ":" + port);
    }
  }

  /** Of an http or https URI with a host. */
  public static Origin of(URI uri) {
    boolean tls = "https".equalsIgnoreCase(uri.getScheme());
    int usual = tls ? HTTPS_PORT : HTTP_PORT;
    return new Origin(tls, uri.getHost(), uri.getPort() < 0 ? usual : uri.getPort());
  }

  /** As the Host header writes it. */
  public String authority() {
    return port == (tls ? HTTPS_PORT : HTTP_PORT) ? host : host + ":" + port;
  }
}
