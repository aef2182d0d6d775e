package io.millrace.cli;

import io.millrace.proto.AdminRequest;
import io.millrace.proto.TaskFailure;
import io.millrace.proto.TaskQuery;
import io.millrace.proto.TaskRecord;
import java.io.PrintWriter;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code millrace task ls|show|cancel|retry|report}. */
@Command(name = "task", description = "Look at, cancel and retry tasks.")
final class TaskCommand {
  @Spec private CommandSpec spec;

  private TaskCommand() {}

  private PrintWriter out() {
    return spec.commandLine().getOut();
  }

  private List<TaskRecord> ask(ServerOptions options, TaskQuery.Builder query) {
    try (Admin admin = options.connect()) {
      return admin.ask(AdminRequest.newBuilder().setTaskQuery(query).build()).getTasksList();
    }
  }

  private void print(ServerOptions options, List<TaskRecord> tasks) {
    if (options.json) {
      out().println(Json.text(tasks));
    } else {
      tasks.forEach(
          task -> out().println(TaskProgress.summary(task) + "  " + task.getPath().toStringUtf8()));
    }
    out().flush();
  }

  @Command(name = "ls", description = "List tasks, the newest last.")
  int list(@Mixin ServerOptions options) {
    print(options, ask(options, TaskQuery.newBuilder()));
    return 0;
  }

  @Command(name = "show", description = "Show a task; with --follow until it has ended.")
  int show(
      @Mixin ServerOptions options,
      @Option(names = "--follow", description = "Wait, showing progress.") boolean follow,
      @Parameters(paramLabel = "ID") long id) {
    if (follow) {
      try (Admin admin = options.connect()) {
        var query =
            AdminRequest.newBuilder().setTaskQuery(TaskQuery.newBuilder().setId(id)).build();
        return new TaskProgress(admin, out(), spec.commandLine().getErr(), options.json)
            .follow(admin.ask(query).getTasks(0));
      }
    }
    print(options, ask(options, TaskQuery.newBuilder().setId(id)));
    return 0;
  }

  @Command(name = "cancel", description = "Stop a task; finished files stay finished.")
  int cancel(@Mixin ServerOptions options, @Parameters(paramLabel = "ID") long id) {
    print(options, ask(options, TaskQuery.newBuilder().setId(id).setCancel(true)));
    return 0;
  }

  @Command(name = "retry", description = "Do the failed files of a task again.")
  int retry(@Mixin ServerOptions options, @Parameters(paramLabel = "ID") long id) {
    print(options, ask(options, TaskQuery.newBuilder().setId(id).setRetry(true)));
    return 0;
  }

  @Command(name = "report", description = "Failed files of a task as CSV (RFC 4180).")
  int report(@Mixin ServerOptions options, @Parameters(paramLabel = "ID") long id) {
    TaskRecord task = ask(options, TaskQuery.newBuilder().setId(id)).getFirst();
    out().print("path,code,detail\r\n");
    for (TaskFailure failure : task.getFailuresList()) {
      out()
          .printf(
              "%s,%s,%s\r\n",
              csv(failure.getPath()), csv(failure.getCode()), csv(failure.getDetail()));
    }
    out().flush();
    return task.getFilesFailed() == 0 ? 0 : Main.SOME_FAILED;
  }

  private static String csv(String field) {
    return field.matches("[A-Za-z0-9_./:-]*") ? field : '"' + field.replace("\"", "\"\"") + '"';
  }
}
