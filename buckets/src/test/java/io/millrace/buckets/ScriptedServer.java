package io.millrace.buckets;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.util.List;
import java.util.Locale;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;

/**
 * An HTTP server that says what the test wrote down, for answers that no real store gives on
 * demand. Counts requests and connections. Text goes out as given: head, empty line, body.
 */
final class ScriptedServer implements AutoCloseable {
  /** An answer that never comes. */
  static final String SILENCE = "";

  /** A header of an answer after which the server hangs up, which it doesn't announce. */
  static final String HANGS_UP = "X-Then: hangs up";

  /** A request as it came: first line, and headers in lower case. */
  record Request(String line, List<String> headers) {
    String header(String name) {
      return headers.stream()
          .filter(header -> header.startsWith(name + ": "))
          .map(header -> header.substring(name.length() + 2))
          .collect(Collectors.joining(","));
    }
  }

  final Queue<Request> requests = new ConcurrentLinkedQueue<>();
  final AtomicInteger connections = new AtomicInteger();
  final CountDownLatch silent = new CountDownLatch(1);

  /** A permit for each connection that ended. */
  final Semaphore ended = new Semaphore(0);

  private final ServerSocket listener;
  private final CopyOnWriteArrayList<String> answers;
  private final AtomicInteger answered = new AtomicInteger();
  private final Set<Socket> open = ConcurrentHashMap.newKeySet();

  /**
   * @param answers one after the other; the last one for all that follow
   */
  ScriptedServer(String... answers) throws IOException {
    this.answers = new CopyOnWriteArrayList<>(answers);
    this.listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    Thread.ofVirtual().start(this::accept);
  }

  static String answer(int status, String body, String... headers) {
    var text = new StringBuilder("HTTP/1.1 " + status + " Said\r\n");
    for (String header : headers) {
      text.append(header).append("\r\n");
    }
    return text + "Content-Length: " + body.length() + "\r\n\r\n" + body;
  }

  static String error(int status, String code) {
    return answer(
        status,
        "<Error><Code>" + code + "</Code><Message>for AKIAKEY and its secret</Message></Error>",
        "Content-Type: application/xml");
  }

  URI uri() {
    return URI.create("http://127.0.0.1:" + listener.getLocalPort());
  }

  private void accept() {
    while (!listener.isClosed()) {
      try {
        Socket socket = listener.accept();
        connections.incrementAndGet();
        open.add(socket);
        Thread.ofVirtual().start(() -> serve(socket));
      } catch (IOException e) {
        return; // closed
      }
    }
  }

  private void serve(Socket socket) {
    try (socket) {
      var in = new BufferedReader(new InputStreamReader(socket.getInputStream(), ISO_8859_1));
      for (String line = in.readLine(); line != null; line = in.readLine()) {
        Request request = read(line, in);
        requests.add(request);
        int turn = Math.min(answered.getAndIncrement(), answers.size() - 1);
        if (answers.get(turn).equals(SILENCE)) {
          silent.countDown();
          continue;
        }
        socket.getOutputStream().write(answers.get(turn).getBytes(ISO_8859_1));
        socket.getOutputStream().flush();
        if (answers.get(turn).contains("Connection: close")
            || answers.get(turn).contains(HANGS_UP)) {
          return;
        }
      }
    } catch (IOException e) {
      return; // the client went away
    } finally {
      ended.release();
    }
  }

  private static Request read(String line, BufferedReader in) throws IOException {
    var headers =
        in.lines().takeWhile(header -> !header.isEmpty()).map(ScriptedServer::lowered).toList();
    var request = new Request(line, headers);
    String length = request.header("content-length");
    long left = length.isEmpty() ? 0 : Long.parseLong(length);
    while (left > 0) {
      left -= in.skip(left);
    }
    return request;
  }

  private static String lowered(String header) {
    int colon = header.indexOf(':');
    return header.substring(0, colon).toLowerCase(Locale.ROOT) + header.substring(colon);
  }

  @Override
  public void close() {
    try {
      listener.close();
      for (Socket socket : open) {
        socket.close();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
