package io.millrace.cli;

import io.millrace.client.mount.MountConfig;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** Options of {@code up} and {@code mount}. */
final class MountOptions {
  @Option(
      names = "--mode",
      paramLabel = "default|dataset",
      description = "dataset: read only, a cached read costs no round trip. Default: default")
  private MountConfig.Mode mode = MountConfig.Mode.DEFAULT;

  @Option(names = "--read-only", description = "The mount refuses changes.")
  private boolean readOnly;

  @Option(
      names = "--l2",
      paramLabel = "SIZE",
      converter = Units.Size.class,
      description =
          "Client cache off the heap, beside the kernel's. Default: 64 MiB, less where memory is short")
  private Long l2Bytes;

  @Option(
      names = "--write-back",
      paramLabel = "SIZE",
      converter = Units.Size.class,
      description =
          "Hard limit of data not yet sent, at least 8MiB; writers wait there. Default: 64 MiB, less"
              + " where memory is short")
  private Long writeBackBytes;

  @Option(
      names = "--open-files",
      paramLabel = "N",
      description = "Open files, and open directories; more are refused (ENFILE). Default: 65536")
  private int openFiles = 65_536;

  @Option(names = "--sync-on-close", description = "close() waits until data survives power loss.")
  private boolean syncOnClose;

  /** Who holds flock and fcntl locks. */
  private enum Locks {
    LOCAL,
    CLUSTER
  }

  @Option(
      names = "--locks",
      paramLabel = "local|cluster",
      description =
          "cluster: the node holds flock and fcntl locks, so that they work between mounts."
              + " Default: local")
  private Locks locks = Locks.LOCAL;

  @Option(names = "--allow-other", description = "Other users may use the mount (root: always).")
  private boolean allowOther;

  @Option(
      names = "--supervisor",
      negatable = true,
      description =
          "A supervisor keeps the mount when its process dies, and starts another one. Default: no")
  private boolean supervised;

  /**
   * @throws CliException where one option does not go with another
   */
  void check() {
    if (locks == Locks.CLUSTER && mode == MountConfig.Mode.DATASET) {
      throw new CliException(Main.USAGE, "--locks cluster does not go with --mode dataset");
    }
    if (locks == Locks.CLUSTER && supervised) {
      throw new CliException(Main.USAGE, "--locks cluster does not go with --supervisor yet");
    }
  }

  boolean clusterLocks() {
    return locks == Locks.CLUSTER;
  }

  boolean supervised() {
    return supervised;
  }

  MountConfig at(Path mountPoint, String source, MemoryPlan plan) {
    return MountConfig.at(mountPoint)
        .source(source)
        .mode(mode)
        .readOnly(readOnly)
        .allowOther(allowOther || System.getProperty("user.name").equals("root"))
        .l2Bytes(plan.l2Bytes())
        .readAheadBytes(plan.readAheadBytes())
        .stagedBytes(plan.stagedBytes())
        .openFilesMax(openFilesMax())
        .workers(Math.max(4, Runtime.getRuntime().availableProcessors()))
        .writeBackBytes(plan.writeBackBytes())
        .syncOnClose(syncOnClose)
        .clusterLocks(clusterLocks())
        .build();
  }

  private int openFilesMax() {
    if (openFiles < 16) {
      throw new CliException(Main.USAGE, "--open-files takes 16 or more");
    }
    return openFiles;
  }

  /** Null: nothing. */
  Long l2Asked() {
    return l2Bytes;
  }

  /** Null: nothing. */
  Long writeBackAsked() {
    if (writeBackBytes != null && writeBackBytes < 8 << 20) {
      throw new CliException(Main.USAGE, "--write-back takes 8MiB or more");
    }
    return writeBackBytes;
  }

  /** For the line that says that the mount is there. */
  String modeName() {
    return mode.name().toLowerCase(java.util.Locale.ROOT);
  }
}
