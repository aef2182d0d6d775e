package io.millrace.cli;

import io.millrace.proto.AdminReply;
import io.millrace.proto.AdminRequest;
import io.millrace.proto.FileState;
import io.millrace.proto.StateQuery;
import java.io.PrintWriter;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code millrace state PATH}: where content is. */
@Command(
    name = "state",
    description = "Per file: cold, partial, cached, dirty, exporting, conflict or own; -r sums.")
final class StateCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;
  @Mixin private ServerOptions options;

  @Option(names = "-r", description = "Sum the whole tree.")
  private boolean recursive;

  @Parameters(paramLabel = "PATH")
  private String path;

  @Override
  public Integer call() {
    var target = ServerOptions.Target.of(path);
    AdminReply reply;
    try (Admin admin = options.connect(target)) {
      var query = StateQuery.newBuilder().setPath(target.path()).setRecursive(recursive);
      reply = admin.ask(AdminRequest.newBuilder().setState(query).build());
    }
    PrintWriter out = spec.commandLine().getOut();
    if (options.json) {
      out.println(recursive ? Json.text(reply.getSum()) : Json.text(reply.getStatesList()));
    } else if (recursive) {
      var states = new TreeSet<>(reply.getSum().getFilesMap().keySet());
      for (String state : states) {
        out.printf(
            "%-10s %10d files %10s%n",
            state,
            reply.getSum().getFilesOrDefault(state, 0),
            Units.bytes(reply.getSum().getBytesOrDefault(state, 0)));
      }
    } else {
      for (FileState file : reply.getStatesList()) {
        out.printf(
            "%-10s %10s %s%n",
            file.getState(), Units.bytes(file.getSize()), file.getPath().toStringUtf8());
      }
    }
    out.flush();
    return 0;
  }
}
