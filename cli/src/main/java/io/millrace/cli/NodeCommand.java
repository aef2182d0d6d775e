package io.millrace.cli;

import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code millrace node}: a storage node, until it is told to end. */
@Command(name = "node", description = "Run a storage node in the foreground.")
final class NodeCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;
  @Mixin private NodeOptions options;

  @Override
  public Integer call() throws InterruptedException {
    var plan = MemoryPlan.of(MemoryPlan.Limit.here(), MemoryPlan.Asked.node(options));
    var ended = new CountDownLatch(1);
    try (var _ = new StopSignal(ended::countDown);
        var node = new StoreNode(options, plan)) {
      if (plan.isReduced()) {
        spec.commandLine().getErr().println("millrace: " + plan.line());
      }
      spec.commandLine().getOut().println("millrace: ready, node " + node.address());
      spec.commandLine().getOut().flush();
      ended.await();
    }
    return 0;
  }
}
