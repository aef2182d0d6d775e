package io.millrace.cli;

import io.millrace.testkit.s3.FreePort;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.InterruptedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * The product as its users run it: processes started through {@code ./millrace}, in a directory of
 * their own. Everything started is stopped, unmounted and deleted on close, in reverse order.
 */
final class Product implements AutoCloseable {
  private static final int LIMIT_SECONDS = 300;
  private static final Path ROOT = Path.of(System.getProperty("millrace.root"));
  private static final Path LAUNCHER = ROOT.resolve("millrace");

  /** What a command printed and how it ended. */
  record Outcome(int exit, String out) {
    Outcome expect(int wanted) {
      if (exit != wanted) {
        throw new AssertionError("exit " + exit + " instead of " + wanted + ": " + out);
      }
      return this;
    }
  }

  /** A server of the product that printed that it is ready. */
  record Running(Process process, Path mountPoint, String ready) {
    void kill() throws InterruptedException {
      process.destroyForcibly().waitFor();
    }
  }

  private final Path scratch;
  private final Deque<Running> running = new ArrayDeque<>();

  Product() throws IOException {
    scratch = Files.createTempDirectory("millrace-test-");
  }

  Path scratch() {
    return scratch;
  }

  Path directory(String name) throws IOException {
    return Files.createDirectories(scratch.resolve(name));
  }

  static int freePort() throws IOException {
    return FreePort.pick();
  }

  /** Starts {@code millrace up|node|mount …} and waits until it says that it is ready. */
  Running start(Path mountPoint, String... arguments) throws IOException {
    // nohup hands on that HUP is ignored, and a shell can't take that back
    var command = new ArrayList<>(List.of("env", "--default-signal=HUP"));
    command.addAll(command(List.of(arguments)));
    var builder = new ProcessBuilder(command);
    Path log = scratch.resolve("log-" + running.size());
    Process process = builder.redirectError(log.toFile()).start();
    var lines =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    String line = lines.readLine();
    while (line != null && !line.contains("ready")) {
      line = lines.readLine();
    }
    if (line == null) {
      throw new AssertionError(List.of(arguments) + " did not start: " + Files.readString(log));
    }
    var started = new Running(process, mountPoint, line);
    running.push(started);
    return started;
  }

  /** Runs {@code millrace …} to its end. */
  Outcome millrace(String... arguments) throws IOException, InterruptedException {
    return run(scratch, command(List.of(arguments)), Map.of());
  }

  /** Runs a shell line in a directory; the JVM itself never touches a mount. */
  Outcome shell(Path directory, String line) throws IOException, InterruptedException {
    return run(scratch, List.of("bash", "-c", "cd '" + directory + "' && " + line), Map.of());
  }

  private static List<String> command(List<String> arguments) {
    var command = new ArrayList<String>();
    command.add(LAUNCHER.toString());
    command.addAll(arguments);
    return command;
  }

  private static Outcome run(Path directory, List<String> command, Map<String, String> environment)
      throws IOException, InterruptedException {
    var builder =
        new ProcessBuilder(command).directory(directory.toFile()).redirectErrorStream(true);
    builder.environment().putAll(environment);
    Process process = builder.start();
    process.getOutputStream().close();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (!process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)) {
      process.destroyForcibly();
      throw new AssertionError("no end after " + LIMIT_SECONDS + " s: " + command);
    }
    return new Outcome(process.exitValue(), out);
  }

  @Override
  public void close() throws IOException {
    try {
      while (!running.isEmpty()) {
        stop(running.pop());
      }
      deleteScratch();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted while cleaning up " + scratch);
    }
  }

  /** The stacks of a server's threads. */
  String threads(Running server) throws IOException, InterruptedException {
    String pid = Long.toString(server.process.pid());
    String jcmd = Path.of(System.getProperty("java.home"), "bin", "jcmd").toString();
    return run(scratch, List.of(jcmd, pid, "Thread.print"), Map.of()).out();
  }

  private void deleteScratch() throws IOException, InterruptedException {
    run(Path.of("/"), List.of("rm", "-rf", scratch.toString()), Map.of());
  }

  void stop(Running server) throws IOException, InterruptedException {
    running.remove(server);
    server.process.destroy();
    if (!server.process.waitFor(30, TimeUnit.SECONDS)) {
      server.process.destroyForcibly().waitFor();
    }
    if (server.mountPoint != null && mounted(server.mountPoint)) {
      run(Path.of("/"), List.of("umount", "-l", server.mountPoint.toString()), Map.of());
    }
  }

  static boolean mounted(Path point) throws IOException {
    return Files.readAllLines(Path.of("/proc/self/mountinfo")).stream()
        .anyMatch(line -> line.contains(" " + point + " "));
  }
}
