package io.millrace.cli;

import io.millrace.client.MountLedger;
import io.millrace.core.wire.ChannelConfig;
import io.millrace.core.wire.NettyNodeChannel;
import io.millrace.fuse.DescriptorVault;
import io.millrace.fuse.FuseMountException;
import io.millrace.fuse.SupervisedProcess;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Model.CommandSpec;

/**
 * What a mount has that outlives this process (H17, decision 5): the vault with its descriptors and
 * the ledger. Both are held open by the supervisor, which this process is a child of.
 *
 * @param vault null where the mount ends with this process
 */
record Survival(DescriptorVault vault, MountLedger ledger) {
  private static final long RETRY_MILLIS = 500;

  /**
   * As the supervisor passes it on. Where there is none yet and one is wanted, this process becomes
   * the supervisor, and this does not return.
   */
  static Survival of(CommandSpec spec, MountOptions options, Path mountPoint) {
    options.check();
    if (!options.supervised()) {
      return new Survival(null, MountLedger.none());
    }
    String inherited = System.getenv(Supervisor.DESCRIPTORS);
    try {
      if (inherited == null) {
        throw Supervisor.become(spec, mountPoint.toAbsolutePath().normalize());
      }
      return inherited(inherited);
    } catch (FuseMountException | IOException e) {
      throw new CliException(Main.SOME_FAILED, e.getMessage());
    }
  }

  private static Survival inherited(String text) throws IOException {
    List<Integer> fds = Arrays.stream(text.split(",")).map(Integer::valueOf).toList();
    SupervisedProcess.keepFromChildren(fds);
    if (!SupervisedProcess.dieWithParent(Long.parseLong(System.getenv(Supervisor.PROCESS)))) {
      throw new CliException(Main.SOME_FAILED, "the supervisor has died");
    }
    return new Survival(
        DescriptorVault.inherited(fds.get(0), fds.get(1)),
        MountLedger.open(Path.of("/proc/self/fd", fds.get(2).toString())));
  }

  /** A mount that goes on waits for its node, as one does whose node restarts. */
  NettyNodeChannel open(ChannelConfig config, CountDownLatch stop) throws InterruptedException {
    while (true) {
      try {
        return NodeLine.open(config);
      } catch (CliException e) {
        if (ledger.session() == 0 || stop.await(RETRY_MILLIS, TimeUnit.MILLISECONDS)) {
          throw e;
        }
      }
    }
  }
}
