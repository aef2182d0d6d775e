package io.millrace.cli.train;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * The server that is trained: a child process over a directory of its own, which leaves neither
 * process, mount nor files behind, also where this JVM is told to end.
 */
final class TrainedServer implements AutoCloseable {
  private static final int STOP_SECONDS =
      120; // it writes the cache as it ends: 10 s, more on a busy machine

  /** The server could not mount here. */
  static final class NotMounted extends IOException {
    private static final long serialVersionUID = 1L;

    NotMounted(String why) {
      super(why);
    }
  }

  private final Path launcher;
  private final Path directory;
  private final Path mountPoint;
  private final Process process;
  private final String address;
  private final Thread atExit = new Thread(this::end, "training-end");

  private TrainedServer(Path launcher, Path cache, boolean mounted) throws IOException {
    this.launcher = launcher;
    directory = Files.createTempDirectory("millrace-training-");
    mountPoint = Files.createDirectory(directory.resolve("mnt"));
    address = "127.0.0.1:" + freePort();
    var command = new ArrayList<>(List.of("/bin/sh", launcher.toString()));
    command.addAll(mounted ? List.of("up", mountPoint.toString()) : List.of("node"));
    command.addAll(List.of("--dir", directory + "/store", "--listen", address));
    var builder = new ProcessBuilder(command).redirectError(log().toFile());
    builder.environment().put("MILLRACE_JVM", "-XX:AOTCacheOutput=" + cache);
    process = builder.start();
    Runtime.getRuntime().addShutdownHook(atExit);
  }

  static TrainedServer up(Path launcher, Path cache) throws IOException {
    return new TrainedServer(launcher, cache, true).ready();
  }

  static TrainedServer node(Path launcher, Path cache) throws IOException {
    return new TrainedServer(launcher, cache, false).ready();
  }

  private static int freePort() throws IOException {
    try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  private Path log() {
    return directory.resolve("log");
  }

  private TrainedServer ready() throws IOException {
    var lines =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      if (line.contains("ready")) {
        return this;
      }
    }
    String said = Files.readString(log()).strip();
    close();
    throw new NotMounted(said);
  }

  Path mountPoint() {
    return mountPoint;
  }

  /** A file that the node reads keys from. */
  Path credentials() throws IOException {
    return Files.writeString(
        directory.resolve("credentials"),
        "[default]\naws_access_key_id = any\naws_secret_access_key = any\n");
  }

  /** Runs a command against this server; fails where it does. */
  void millrace(String... arguments) throws IOException, InterruptedException {
    var command = new ArrayList<>(List.of("/bin/sh", launcher.toString()));
    command.addAll(List.of(arguments));
    var builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().put("MILLRACE_SERVER", address);
    Process child = builder.start();
    String said = new String(child.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (child.waitFor() != 0) {
      throw new IOException(String.join(" ", arguments) + ": " + said.strip());
    }
  }

  @Override
  public void close() throws IOException {
    end();
    Runtime.getRuntime().removeShutdownHook(atExit);
  }

  private void end() {
    List<ProcessHandle> below = process.descendants().toList();
    process.destroy();
    try {
      if (!process.waitFor(STOP_SECONDS, TimeUnit.SECONDS)) {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        below.forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly().waitFor();
        new ProcessBuilder("umount", "-l", mountPoint.toString()).start().waitFor();
      }
      remove();
    } catch (IOException e) {
      System.getLogger(TrainedServer.class.getName())
          .log(System.Logger.Level.WARNING, "training left " + directory, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void remove() throws IOException {
    if (!Files.exists(directory)) {
      return;
    }
    try (var found = Files.walk(directory)) {
      for (Path each : found.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(each);
      }
    }
  }
}
