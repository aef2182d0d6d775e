package io.millrace.core.wire;

import java.net.InetAddress;

/**
 * @param host address to listen on; 127.0.0.1 unless the user says otherwise
 * @param port 0 for any free one
 * @param loopThreads about one per core
 * @param connectionsMax further ones are closed at once
 * @param requestsInFlightMax per connection, from arrival to the reply's last byte; beyond it the
 *     connection is not read until half of them are done
 * @param payloadInFlightMaxBytes of requests, per connection, likewise
 */
public record ServerConfig(
    String host,
    int port,
    int loopThreads,
    int connectionsMax,
    int requestsInFlightMax,
    long payloadInFlightMaxBytes) {

  public ServerConfig {
    if (port < 0 || port > 65535) {
      throw new IllegalArgumentException("no port: " + port);
    }
    if (loopThreads < 1 || connectionsMax < 1 || requestsInFlightMax < 1) {
      throw new IllegalArgumentException("limits start at 1");
    }
  }

  /** On the loopback address, with the usual limits. */
  public static ServerConfig loopback(int port) {
    return on(InetAddress.getLoopbackAddress().getHostAddress(), port);
  }

  public static ServerConfig on(String host, int port) {
    int loops = Math.max(1, Math.min(8, Runtime.getRuntime().availableProcessors()));
    return new ServerConfig(host, port, loops, 4096, 4096, 64L << 20);
  }
}
