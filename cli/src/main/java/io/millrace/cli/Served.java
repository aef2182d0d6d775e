package io.millrace.cli;

import io.millrace.client.mount.Mount;
import io.millrace.core.wire.NodeChannel;
import io.millrace.fuse.FuseMountException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine;

/** A mount that is served until somebody unmounts it or the process is told to end. */
final class Served {
  private final MountOptions options;
  private final Path mountPoint;
  private final String node;
  private final CountDownLatch ended;
  private final Survival survival;
  private final MemoryPlan plan;

  private static final long WISH_LOOK_MILLIS = 200;

  /**
   * @param node HOST:PORT, kept in the kernel's mount table so that commands find it
   * @param ended counted down to end it; it counts down too when somebody unmounts
   */
  Served(
      MountOptions options,
      Path mountPoint,
      String node,
      CountDownLatch ended,
      Survival survival,
      MemoryPlan plan) {
    this.options = options;
    this.mountPoint = mountPoint.toAbsolutePath().normalize();
    this.node = node;
    this.ended = ended;
    this.survival = survival;
    this.plan = plan;
  }

  static String clientName() throws UnknownHostException {
    return InetAddress.getLocalHost().getHostName() + ":" + ProcessHandle.current().pid();
  }

  /** Returns the exit code: 0, or 1 where data could not be stored. */
  int run(NodeChannel channel, CommandLine commandLine) {
    try {
      List<String> lost = serve(channel, commandLine);
      lost.forEach(line -> commandLine.getErr().println("millrace: not stored: " + line));
      return lost.isEmpty() ? 0 : Main.SOME_FAILED;
    } catch (FuseMountException e) {
      throw new CliException(Main.SOME_FAILED, e.getMessage());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Main.SOME_FAILED;
    }
  }

  private List<String> serve(NodeChannel channel, CommandLine commandLine)
      throws FuseMountException, InterruptedException {
    Mount mount =
        Mount.start(
            options.at(mountPoint, node, plan), channel, survival.vault(), survival.ledger());
    if (plan.isReduced()) {
      commandLine.getErr().println("millrace: " + plan.line());
    }
    try (mount) {
      var _ = mount.session().ended().whenComplete((how, failure) -> ended.countDown());
      String what = mount.session().isTakenOver() ? "goes on" : "ready";
      commandLine
          .getOut()
          .printf(
              "millrace: %s, %s (node %s, mode %s)%n", what, mountPoint, node, options.modeName());
      commandLine.getOut().flush();
      while (!ended.await(WISH_LOOK_MILLIS, TimeUnit.MILLISECONDS)) {
        if (mount.takeHandOverWish()) {
          handOver(mount, commandLine);
        }
      }
    }
    return mount.unflushed();
  }

  /** Ends this process without a farewell to anyone: the one that follows goes on. */
  private static void handOver(Mount mount, CommandLine commandLine) throws InterruptedException {
    mount.handOver().forEach(line -> commandLine.getErr().println("millrace: not stored: " + line));
    commandLine.getErr().flush();
    Runtime.getRuntime().halt(0);
  }
}
