package io.millrace.buckets;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.time.Duration;

/** Answers one request byte by byte, with a pause before each. */
final class DrippingServer implements AutoCloseable {
  private final ServerSocket listener;
  private final String answer;
  private final Duration pause;

  DrippingServer(String answer, Duration pause) throws IOException {
    this.answer = answer;
    this.pause = pause;
    this.listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    Thread.ofVirtual().start(this::serve);
  }

  URI uri() {
    return URI.create("http://127.0.0.1:" + listener.getLocalPort());
  }

  private void serve() {
    try (var socket = listener.accept();
        var in = new BufferedReader(new InputStreamReader(socket.getInputStream(), ISO_8859_1))) {
      socket.setTcpNoDelay(true);
      while (!in.readLine().isEmpty()) {}
      for (byte b : answer.getBytes(ISO_8859_1)) {
        Thread.sleep(pause);
        socket.getOutputStream().write(b);
      }
      var _ = in.readLine(); // until the client goes away
    } catch (IOException | InterruptedException e) {
      return; // the client went away
    }
  }

  @Override
  public void close() {
    try {
      listener.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
