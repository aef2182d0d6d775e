package io.millrace.cli;

import io.millrace.core.wire.LocalNodeChannel;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code millrace up MOUNTPOINT}: one node and one mount in one process. */
@Command(name = "up", description = "Run a node and mount it here, in the foreground.")
final class UpCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;
  @Mixin private NodeOptions nodeOptions;
  @Mixin private MountOptions mountOptions;

  @Parameters(paramLabel = "MOUNTPOINT")
  private Path mountPoint;

  @Override
  public Integer call() throws Exception {
    Survival survival = Survival.of(spec, mountOptions, mountPoint);
    var plan =
        MemoryPlan.of(MemoryPlan.Limit.here(), MemoryPlan.Asked.up(nodeOptions, mountOptions));
    var ended = new CountDownLatch(1);
    try (var _ = new StopSignal(ended::countDown);
        var node = new StoreNode(nodeOptions, plan, survival.ledger().session());
        var channel =
            new LocalNodeChannel(
                node.handler(),
                Served.clientName(),
                false,
                survival.ledger().session(),
                mountOptions.clusterLocks())) {
      return new Served(mountOptions, mountPoint, node.address(), ended, survival, plan)
          .run(channel, spec.commandLine());
    }
  }
}
