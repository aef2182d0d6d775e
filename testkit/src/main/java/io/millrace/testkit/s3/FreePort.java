package io.millrace.testkit.s3;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;

/**
 * A TCP port of 127.0.0.1 that was free a moment ago. Another process may take it before the server
 * binds it; servers are therefore started through {@link ChildServer}, which notices a child that
 * died.
 */
public final class FreePort {
  private FreePort() {}

  public static int pick() throws IOException {
    try (var socket = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
      return socket.getLocalPort();
    }
  }
}
