package io.millrace.cli;

import io.millrace.proto.AdminReply;
import io.millrace.proto.AdminRequest;
import io.millrace.proto.TaskKind;
import io.millrace.proto.TaskRecord;
import io.millrace.proto.TaskStart;
import java.time.Duration;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code import}, {@code preload}, {@code export} and {@code evict}: each starts a task. */
final class TaskStartCommands {
  private TaskStartCommands() {}

  /** What the four have in common: a path, {@code --wait}, {@code --dry-run}. */
  abstract static class Start implements Callable<Integer> {
    @Spec private CommandSpec spec;
    @Mixin private ServerOptions options;

    @Option(names = "--wait", description = "Wait until the task has ended, showing progress.")
    private boolean wait;

    @Option(names = "--dry-run", description = "Count what would be done; change nothing.")
    private boolean dryRun;

    @Parameters(paramLabel = "PATH")
    private String path;

    abstract void describe(TaskRecord.Builder task);

    @Override
    public Integer call() throws InterruptedException {
      var target = ServerOptions.Target.of(path);
      var task = TaskRecord.newBuilder().setPath(target.path()).setDryRun(dryRun);
      describe(task);
      try (Admin admin = options.connect(target)) {
        AdminReply reply =
            admin.ask(
                AdminRequest.newBuilder()
                    .setTaskStart(TaskStart.newBuilder().setTask(task))
                    .build());
        TaskRecord started = reply.getTasks(0);
        if (!wait) {
          spec.commandLine()
              .getOut()
              .println(options.json ? Json.text(started) : Long.toString(started.getId()));
          return 0;
        }
        return new TaskProgress(
                admin, spec.commandLine().getOut(), spec.commandLine().getErr(), options.json)
            .follow(started);
      }
    }
  }

  @Command(name = "import", description = "Bring the bucket's names and sizes in; no content.")
  static final class Import extends Start {
    @Option(names = "--delete", description = "Also remove clean files whose object is gone.")
    private boolean delete;

    @Option(names = "--restore-deleted", description = "Bring back files that were deleted here.")
    private boolean restoreDeleted;

    @Override
    void describe(TaskRecord.Builder task) {
      task.setKind(TaskKind.TASK_IMPORT).setDeleteMissing(delete).setRestoreDeleted(restoreDeleted);
    }
  }

  @Command(name = "preload", description = "Fetch content ahead of the job.")
  static final class Preload extends Start {
    @Override
    void describe(TaskRecord.Builder task) {
      task.setKind(TaskKind.TASK_PRELOAD);
    }
  }

  @Command(name = "export", description = "Write changes below PATH to the bucket.")
  static final class Export extends Start {
    @Override
    void describe(TaskRecord.Builder task) {
      task.setKind(TaskKind.TASK_EXPORT);
    }
  }

  @Command(name = "evict", description = "Release exported content; metadata stays.")
  static final class Evict extends Start {
    @Option(
        names = "--older-than",
        paramLabel = "7d",
        converter = Units.Time.class,
        description = "Only content not read for so long.")
    private Duration olderThan;

    @Override
    void describe(TaskRecord.Builder task) {
      task.setKind(TaskKind.TASK_EVICT);
      if (olderThan != null) {
        task.setOlderThanSeconds(olderThan.toSeconds());
      }
    }
  }
}
