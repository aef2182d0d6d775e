package io.millrace.buckets.http;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.SocketTimeoutException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ServerSocketFactory;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Limits of connections, and TLS; what requests make of them is LeanGetTest's. */
@Timeout(30)
class ConnectionPoolTest {
  private static final byte[] REQUEST = "GET / HTTP/1.1\r\nhost: x\r\n\r\n".getBytes(ISO_8859_1);
  private static final char[] PASSWORD = "changeit".toCharArray();
  private static final Limits LIMITS =
      new Limits(1, Duration.ofSeconds(2), Duration.ofSeconds(5), Duration.ofMinutes(1));

  @TempDir private Path directory;

  /** Answers each request with 40,000 bytes, plain or through TLS. */
  private static final class Server implements AutoCloseable {
    final AtomicInteger connections = new AtomicInteger();
    final Semaphore ended = new Semaphore(0);
    private final ServerSocket listener;

    Server(ServerSocketFactory factory) throws IOException {
      listener = factory.createServerSocket(0, 50, InetAddress.getLoopbackAddress());
      Thread.ofVirtual().start(this::serve);
    }

    private void serve() {
      byte[] body = "y".repeat(40_000).getBytes(ISO_8859_1);
      while (!listener.isClosed()) {
        try (var socket = listener.accept();
            var in =
                new BufferedReader(new InputStreamReader(socket.getInputStream(), ISO_8859_1))) {
          connections.incrementAndGet();
          for (String line = in.readLine(); line != null; line = in.readLine()) {
            if (line.isEmpty()) {
              var out = socket.getOutputStream();
              out.write("HTTP/1.1 200 OK\r\nContent-Length: 40000\r\n\r\n".getBytes(ISO_8859_1));
              out.write(body);
              out.flush();
            }
          }
          ended.release();
        } catch (IOException _) {
          ended.release(); // refused, or closed
        }
      }
    }

    Origin origin(boolean tls, String host) {
      return new Origin(tls, host, listener.getLocalPort());
    }

    @Override
    public void close() throws IOException {
      listener.close();
    }
  }

  private static ConnectionPool plain(Server server, Limits limits) throws Exception {
    return new ConnectionPool(
        server.origin(false, "127.0.0.1"), limits, SSLContext.getDefault(), System::nanoTime);
  }

  private static void exchange(ConnectionPool pool) throws IOException, InterruptedException {
    var target = Arena.ofAuto().allocate(40_000);
    Connection connection = pool.take();
    try {
      AnswerHead head = connection.ask(REQUEST);
      assertEquals(40_000, connection.body(head, target));
    } finally {
      pool.give(connection);
    }
    assertEquals('y', target.get(ValueLayout.JAVA_BYTE, 0));
    assertEquals('y', target.get(ValueLayout.JAVA_BYTE, 39_999));
  }

  @Test
  void oneMoreWaitsForAPlace() throws Exception {
    try (var server = new Server(ServerSocketFactory.getDefault());
        var pool = plain(server, LIMITS)) {
      Connection first = pool.take();
      var second = new CompletableFuture<Boolean>();
      Thread waiting =
          Thread.ofVirtual()
              .start(
                  () -> {
                    try {
                      exchange(pool);
                      second.complete(true);
                    } catch (IOException | InterruptedException e) {
                      second.completeExceptionally(e);
                    }
                  });
      assertFalse(second.isDone());
      assertEquals(0, server.connections.get());
      pool.give(first);
      assertTrue(second.get(10, TimeUnit.SECONDS));
      waiting.join();
    }
  }

  @Test
  void waitingForAPlaceHasAnEnd() throws Exception {
    var limits = new Limits(1, LIMITS.connect(), Duration.ofMillis(100), LIMITS.idle());
    try (var server = new Server(ServerSocketFactory.getDefault());
        var pool = plain(server, limits)) {
      Connection first = pool.take();
      assertThrows(SocketTimeoutException.class, pool::take);
      pool.give(first);
      exchange(pool);
    }
  }

  @Test
  void whatNobodyUsesIsClosed() throws Exception {
    var limits = new Limits(1, LIMITS.connect(), LIMITS.answer(), Duration.ofMillis(100));
    try (var server = new Server(ServerSocketFactory.getDefault());
        var pool = plain(server, limits)) {
      exchange(pool);
      assertTrue(server.ended.tryAcquire(10, TimeUnit.SECONDS));
      exchange(pool);
      assertTrue(server.ended.tryAcquire(10, TimeUnit.SECONDS), "the watch came back");
      assertEquals(2, server.connections.get());
    }
  }

  @Test
  void closingEndsConnectionsAndRefusesRequests() throws Exception {
    try (var server = new Server(ServerSocketFactory.getDefault())) {
      var pool = plain(server, LIMITS);
      exchange(pool);
      pool.close();
      assertTrue(server.ended.tryAcquire(10, TimeUnit.SECONDS));
      assertThrows(IOException.class, pool::take);
    }
  }

  @Test
  void tlsCarriesRequestsToTheNamedServerOnly() throws Exception {
    SSLContext context = localhostOnly();
    try (var server = new Server(context.getServerSocketFactory())) {
      try (var pool =
          new ConnectionPool(server.origin(true, "localhost"), LIMITS, context, System::nanoTime)) {
        exchange(pool);
        exchange(pool);
        assertEquals(1, server.connections.get());
      }
      try (var pool =
          new ConnectionPool(server.origin(true, "127.0.0.1"), LIMITS, context, System::nanoTime)) {
        assertThrows(SSLException.class, () -> exchange(pool), "another name");
      }
      try (var pool =
          new ConnectionPool(
              server.origin(true, "localhost"),
              LIMITS,
              SSLContext.getDefault(),
              System::nanoTime)) {
        assertThrows(SSLException.class, () -> exchange(pool), "an unknown authority");
      }
    }
  }

  /** A fresh key with a certificate for localhost, and trust in it. */
  private SSLContext localhostOnly()
      throws IOException, GeneralSecurityException, InterruptedException {
    Path file = directory.resolve("keys.p12");
    var keytool =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-keyalg",
                "EC",
                "-alias",
                "server",
                "-dname",
                "CN=localhost",
                "-ext",
                "san=dns:localhost",
                "-storetype",
                "PKCS12",
                "-keystore",
                file.toString(),
                "-storepass",
                new String(PASSWORD))
            .redirectErrorStream(true)
            .redirectOutput(directory.resolve("keytool.log").toFile())
            .start();
    assertEquals(0, keytool.waitFor());
    var store = KeyStore.getInstance("PKCS12");
    try (var in = Files.newInputStream(file)) {
      store.load(in, PASSWORD);
    }
    var keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    keys.init(store, PASSWORD);
    var trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    trust.init(store);
    var context = SSLContext.getInstance("TLS");
    context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
    return context;
  }
}
