package io.millrace.cli;

import io.millrace.proto.AdminReply;
import io.millrace.proto.AdminRequest;
import io.millrace.proto.FileState;
import io.millrace.proto.WaitExported;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code millrace wait --exported PATH} (S28). */
@Command(
    name = "wait",
    description = "Wait until all that was closed below PATH before now is in the bucket.")
final class WaitCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;
  @Mixin private ServerOptions options;

  @Option(names = "--exported", required = true, paramLabel = "PATH")
  private String path;

  @Option(names = "--timeout", paramLabel = "10m", converter = Units.Time.class)
  private Duration timeout = Duration.ofDays(1);

  @Override
  public Integer call() {
    var target = ServerOptions.Target.of(path);
    AdminReply reply;
    try (Admin admin = options.connect(target)) {
      var wait =
          WaitExported.newBuilder()
              .setPath(target.path())
              .setTimeoutMs((int) Math.min(Integer.MAX_VALUE, timeout.toMillis()));
      reply = admin.ask(AdminRequest.newBuilder().setWaitExported(wait).build());
    }
    PrintWriter out = spec.commandLine().getOut();
    if (options.json) {
      out.println(Json.text(reply.getStatesList()));
    } else {
      for (FileState file : reply.getStatesList()) {
        out.printf("not exported: %s (%s)%n", file.getPath().toStringUtf8(), file.getState());
      }
    }
    out.flush();
    return reply.getTimedOut() ? Main.SOME_FAILED : 0;
  }
}
