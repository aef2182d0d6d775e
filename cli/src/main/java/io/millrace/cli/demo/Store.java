package io.millrace.cli.demo;

import io.millrace.testkit.s3.FreePort;
import io.millrace.testkit.s3.ScratchDirectory;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** {@code millrace up} as a child process, over a scratch directory; unmounted on close. */
final class Store implements AutoCloseable {
  private static final int STOP_SECONDS = 30;

  private final ScratchDirectory scratch;
  private final Process process;
  private final Path mountPoint;
  private final String server;

  private Store(ScratchDirectory scratch, Process process, Path mountPoint, String server) {
    this.scratch = scratch;
    this.process = process;
    this.mountPoint = mountPoint;
    this.server = server;
  }

  static Store start(Path launcher) throws IOException {
    var scratch = ScratchDirectory.create("millrace-demo-");
    Path mountPoint = Files.createDirectory(scratch.path().resolve("mnt"));
    String server = "127.0.0.1:" + FreePort.pick();
    Process process =
        new ProcessBuilder(
                List.of(
                    launcher.toString(),
                    "up",
                    mountPoint.toString(),
                    "--dir",
                    scratch.path().resolve("store").toString(),
                    "--listen",
                    server))
            .redirectError(scratch.path().resolve("up.log").toFile())
            .start();
    var store = new Store(scratch, process, mountPoint, server);
    store.awaitReady();
    return store;
  }

  private void awaitReady() throws IOException {
    var lines =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      if (line.contains("ready")) {
        return;
      }
    }
    String log = Files.readString(scratch.path().resolve("up.log"));
    close();
    throw new IOException("millrace up did not start: " + log.strip());
  }

  Path mountPoint() {
    return mountPoint;
  }

  /** HOST:PORT of the node. */
  String server() {
    return server;
  }

  long pid() {
    return process.pid();
  }

  @Override
  public void close() {
    process.destroy();
    try {
      if (!process.waitFor(STOP_SECONDS, TimeUnit.SECONDS)) {
        process.destroyForcibly().waitFor();
        new ProcessBuilder("umount", "-l", mountPoint.toString()).start().waitFor();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    scratch.close();
  }
}
