package io.millrace.cli;

import io.millrace.core.wire.ChannelConfig;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code millrace mount H:P MOUNTPOINT}: a client, until it is unmounted or told to end. */
@Command(name = "mount", description = "Mount a node's file system, in the foreground.")
final class MountCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;
  @Mixin private MountOptions options;

  @Parameters(index = "0", paramLabel = "H:P")
  private String node;

  @Parameters(index = "1", paramLabel = "MOUNTPOINT")
  private Path mountPoint;

  @Override
  public Integer call() throws Exception {
    Survival survival = Survival.of(spec, options, mountPoint);
    var address = ServerOptions.address(node);
    var config =
        ChannelConfig.session(address.getHostString(), address.getPort(), Served.clientName())
            .goingOnWith(survival.ledger().session())
            .withLocks(options.clusterLocks());
    var plan = MemoryPlan.of(MemoryPlan.Limit.here(), MemoryPlan.Asked.mount(options));
    var ended = new CountDownLatch(1);
    try (var _ = new StopSignal(ended::countDown);
        var channel = survival.open(config, ended)) {
      return new Served(options, mountPoint, node, ended, survival, plan)
          .run(channel, spec.commandLine());
    }
  }
}
