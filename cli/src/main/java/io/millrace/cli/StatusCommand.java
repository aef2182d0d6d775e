package io.millrace.cli;

import io.millrace.proto.AdminRequest;
import io.millrace.proto.NodeStatus;
import io.millrace.proto.StatusQuery;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code millrace status}: one node in a few lines. */
@Command(name = "status", description = "Show a node: files, caches, what is not exported.")
final class StatusCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;
  @Mixin private ServerOptions options;

  @Option(names = "--counters", description = "Also all counters.")
  private boolean counters;

  @Override
  public Integer call() {
    NodeStatus status;
    try (Admin admin = options.connect()) {
      var query = AdminRequest.newBuilder().setStatus(StatusQuery.getDefaultInstance());
      status = admin.ask(query.build()).getStatus();
    }
    PrintWriter out = spec.commandLine().getOut();
    if (options.json) {
      out.println(Json.text(status));
    } else {
      out.printf(
          "node %s at %s, up for %s%n",
          status.getNode(),
          status.getDirectory(),
          Units.time(Duration.ofMillis(status.getUptimeMs())));
      out.printf("  inodes    %d%n", status.getInodes());
      used(out, "memory L1", status.getL1Bytes(), status.getL1Capacity());
      used(out, "disk", status.getDiskBytes(), status.getDiskCapacity());
      out.printf("  not exported or own: %s%n", Units.bytes(status.getDirtyBytes()));
      out.printf("  sessions  %d%n", status.getSessions());
      if (counters) {
        status.getCountersMap().entrySet().stream()
            .sorted(java.util.Map.Entry.comparingByKey())
            .forEach(counter -> out.printf("  %s %d%n", counter.getKey(), counter.getValue()));
      }
    }
    out.flush();
    return 0;
  }

  private static void used(PrintWriter out, String name, long bytes, long capacity) {
    out.printf("  %-9s %s of %s%n", name, Units.bytes(bytes), Units.bytes(capacity));
  }
}
