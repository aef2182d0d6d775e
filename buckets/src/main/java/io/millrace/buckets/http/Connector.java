package io.millrace.buckets.http;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.StandardSocketOptions;
import java.nio.channels.ByteChannel;
import java.nio.channels.SocketChannel;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;

/**
 * Opens connections to one server: to the first of its addresses that accepts. Names are resolved
 * each time; the JDK keeps them for a while. Safe for many threads.
 *
 * @param trust for TLS; the certificate must also be for the server's name
 */
record Connector(Origin origin, Limits limits, SSLContext trust) {
  ByteChannel connect() throws IOException {
    IOException last = null;
    for (InetAddress address : InetAddress.getAllByName(origin.host())) {
      try {
        var target = new InetSocketAddress(address, origin.port());
        return origin.tls() ? secured(target) : plain(target);
      } catch (IOException e) {
        if (Thread.currentThread().isInterrupted()) {
          throw e;
        }
        last = e;
      }
    }
    throw last; // a name has at least one address
  }

  private ByteChannel plain(InetSocketAddress target) throws IOException {
    SocketChannel channel = SocketChannel.open();
    try {
      channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
      channel.setOption(StandardSocketOptions.SO_KEEPALIVE, true);
      channel.socket().connect(target, millis(limits.connect().toMillis()));
      return channel;
    } catch (IOException e) {
      channel.close();
      throw e;
    }
  }

  private ByteChannel secured(InetSocketAddress target) throws IOException {
    var socket = new Socket();
    try {
      socket.setTcpNoDelay(true);
      socket.setKeepAlive(true);
      socket.connect(target, millis(limits.connect().toMillis()));
      socket.setSoTimeout(millis(limits.answer().toMillis()));
      var factory = trust.getSocketFactory();
      var secure = (SSLSocket) factory.createSocket(socket, origin.host(), origin.port(), true);
      var parameters = secure.getSSLParameters();
      parameters.setEndpointIdentificationAlgorithm("HTTPS");
      secure.setSSLParameters(parameters);
      secure.startHandshake();
      return new TlsChannel(socket, secure);
    } catch (IOException e) {
      socket.close();
      throw e;
    }
  }

  private static int millis(long wanted) {
    return Math.clamp(wanted, 1, Integer.MAX_VALUE);
  }
}
