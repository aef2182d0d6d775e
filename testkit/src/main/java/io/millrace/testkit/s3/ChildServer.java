package io.millrace.testkit.s3;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * A server as a child of this JVM that never outlives it: a watcher in the child's process group
 * reads a pipe from us and stops the server when the pipe closes, whether by {@link #close}, by
 * exit, or because this JVM was killed. Owns its scratch directory (settings, log), which goes with
 * it. Safe to close twice and from any thread.
 */
final class ChildServer implements AutoCloseable {
  private static final Duration STOP_LIMIT = Duration.ofSeconds(10);
  private static final Duration POLL = Duration.ofMillis(20);

  /**
   * The shell becomes the server (same pid); before, it starts the watcher that holds the pipe. The
   * watcher's signal is $1. The server itself gets no standard input.
   */
  private static final String UNDER_WATCH =
      """
      signal=$1; shift
      exec 3<&0
      ( cat <&3 >/dev/null; kill -s "$signal" $$ 2>/dev/null ) </dev/null >/dev/null 2>&1 &
      exec 3<&-
      exec "$@" </dev/null
      """;

  private final String name;
  private final Process process;
  private final ScratchDirectory scratch;
  private final Thread atExit = Thread.ofPlatform().unstarted(this::stop);

  private ChildServer(String name, Process process, ScratchDirectory scratch) {
    this.name = name;
    this.process = process;
    this.scratch = scratch;
    Runtime.getRuntime().addShutdownHook(atExit);
  }

  /**
   * Starts {@code command} and returns when it answers HTTP on {@code port}. It is stopped by
   * {@code signal} (KILL, TERM); its output goes to {@code log} in {@code scratch}. After a failure
   * nothing of it is left.
   */
  static ChildServer start(
      ScratchDirectory scratch, String signal, List<String> command, int port, Duration limit)
      throws IOException {
    String name = Path.of(command.getFirst()).getFileName().toString();
    if (answers(port)) {
      scratch.close();
      throw new IOException(name + " not started: port " + port + " is taken by another process");
    }
    var watched = new ArrayList<>(List.of("/bin/sh", "-c", UNDER_WATCH, name, signal));
    watched.addAll(command);
    var builder = new ProcessBuilder(watched).redirectErrorStream(true);
    builder.redirectOutput(
        ProcessBuilder.Redirect.appendTo(scratch.path().resolve("log").toFile()));
    var server = new ChildServer(name, builder.start(), scratch);
    try {
      server.awaitHttp(port, limit);
      return server;
    } catch (IOException e) {
      server.close();
      throw e;
    }
  }

  long pid() {
    return process.pid();
  }

  private void awaitHttp(int port, Duration limit) throws IOException {
    long end = System.nanoTime() + limit.toNanos();
    while (!answers(port)) {
      if (!process.isAlive()) {
        throw failure("exited with " + process.exitValue());
      }
      if (System.nanoTime() - end > 0) {
        throw failure("did not answer within " + limit.toSeconds() + " s");
      }
      LockSupport.parkNanos(POLL.toNanos());
    }
    if (!process.isAlive()) {
      throw failure("exited while another process answers on its port " + port);
    }
  }

  private static boolean answers(int port) {
    try (var socket = new Socket()) {
      socket.connect(new InetSocketAddress("127.0.0.1", port), 1000);
      socket.setSoTimeout(5000);
      var request = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n";
      socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
      return socket.getInputStream().read() == 'H';
    } catch (IOException notYet) {
      return false;
    }
  }

  private IOException failure(String what) throws IOException {
    List<String> lines = Files.readAllLines(scratch.path().resolve("log"));
    var tail = lines.subList(Math.max(0, lines.size() - 20), lines.size());
    return new IOException(name + " " + what + "; end of its log:\n" + String.join("\n", tail));
  }

  /** Kills without warning, as {@code kill -9} does; for tests of what a crash leaves. */
  void kill() {
    process.destroyForcibly();
    awaitEnd();
  }

  @Override
  public void close() {
    stop();
    try {
      Runtime.getRuntime().removeShutdownHook(atExit);
    } catch (IllegalStateException exiting) {
      return; // the hook runs or has run; stopping twice is harmless
    }
  }

  private void stop() {
    try {
      process.getOutputStream().close();
    } catch (IOException pipeGone) {
      process.destroyForcibly();
    }
    if (!awaitEnd()) {
      process.destroyForcibly();
      awaitEnd();
    }
    scratch.close();
  }

  private boolean awaitEnd() {
    try {
      return process.waitFor(STOP_LIMIT.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }
}
