package io.millrace.cli;

import io.millrace.core.access.Squash;
import java.nio.file.Path;
import java.time.Duration;
import picocli.CommandLine.Option;

/** Options of {@code up} and {@code node}. */
final class NodeOptions {
  @Option(
      names = "--dir",
      paramLabel = "DIR",
      description = "Where the node keeps everything. Default: ~/.millrace")
  private Path directory = Path.of(System.getProperty("user.home"), ".millrace");

  @Option(
      names = "--listen",
      paramLabel = "H:P",
      description = "Address to serve; port 0 for any free one. Default: ${DEFAULT-VALUE}")
  private String listen = "127.0.0.1:" + ServerOptions.DEFAULT_PORT;

  @Option(
      names = "--capacity",
      paramLabel = "SIZE",
      converter = Units.Size.class,
      description = "Room for content on disk, a hard limit. Default: 90 %% of what is free.")
  private Long capacityBytes;

  @Option(
      names = "--l1",
      paramLabel = "SIZE",
      converter = Units.Size.class,
      description =
          "Memory for hot blocks, off the heap. Default: 64 MiB, less where memory is short")
  private Long l1Bytes;

  @Option(
      names = "--read-deadline",
      paramLabel = "60s",
      converter = Units.Time.class,
      description = "How long a reader waits for a bucket that is away. Default: 60 s")
  private Duration readDeadline = Duration.ofSeconds(60);

  @Option(
      names = "--lease",
      paramLabel = "5s",
      converter = Units.Time.class,
      description =
          "How long a mount may trust its caches unheard of, and a change waits for a mount that"
              + " does not answer. Default: 5 s")
  private Duration lease = Duration.ofSeconds(5);

  @Option(
      names = "--squash",
      paramLabel = "none|root|all",
      description = "Whose changes and opens are nobody's (uid 65534). Default: none")
  private Squash squash = Squash.NONE;

  @Option(names = "--name", description = "Name of the node in messages.")
  private String name = "millrace";

  Path directory() {
    return directory.toAbsolutePath().normalize();
  }

  String host() {
    return ServerOptions.address(listen).getHostString();
  }

  int port() {
    return ServerOptions.address(listen).getPort();
  }

  /** Null: nothing. */
  Long l1Asked() {
    return l1Bytes;
  }

  Duration readDeadline() {
    return readDeadline;
  }

  /** At least what a renewal needs on a busy machine. */
  int leaseMillis() {
    if (lease.toMillis() < 100 || lease.toMillis() > 60_000) {
      throw new CliException(Main.USAGE, "--lease takes 100ms to 60s");
    }
    return (int) lease.toMillis();
  }

  Squash squash() {
    return squash;
  }

  String name() {
    return name;
  }

  /** What was asked for, else nine tenths of what is free and what the store already uses. */
  long capacityBytes() {
    if (capacityBytes != null) {
      return capacityBytes;
    }
    Path existing = directory();
    while (!java.nio.file.Files.exists(existing)) {
      existing = existing.getParent();
    }
    return existing.toFile().getUsableSpace() / 10 * 9;
  }
}
