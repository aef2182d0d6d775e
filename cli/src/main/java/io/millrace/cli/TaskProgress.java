package io.millrace.cli;

import io.millrace.proto.AdminRequest;
import io.millrace.proto.TaskFailure;
import io.millrace.proto.TaskQuery;
import io.millrace.proto.TaskRecord;
import io.millrace.proto.TaskState;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.Locale;

/**
 * Follows one task to its end: a bar that is drawn over on a terminal, a line every 10 s otherwise.
 * Progress goes to standard error, the outcome to standard output.
 */
final class TaskProgress {
  private static final int BAR_CHARS = 24;
  private static final long LINE_EVERY_NANOS = 10_000_000_000L;
  private static final int POLL_MS = 500;
  private static final int FAILURES_SHOWN = 10;

  private final Admin admin;
  private final PrintWriter out;
  private final PrintWriter err;
  private final boolean json;
  private final boolean terminal = isTerminal();
  private final long startedNanos = System.nanoTime();
  private long printedNanos = startedNanos;

  TaskProgress(Admin admin, PrintWriter out, PrintWriter err, boolean json) {
    this.admin = admin;
    this.out = out;
    this.err = err;
    this.json = json;
  }

  /**
   * @return the exit code: 0 all done, 1 some files or the task failed
   */
  int follow(TaskRecord task) {
    TaskRecord now = task;
    while (running(now)) {
      show(now);
      var query = TaskQuery.newBuilder().setId(task.getId()).setNewerThanMs(POLL_MS);
      now = admin.ask(AdminRequest.newBuilder().setTaskQuery(query).build()).getTasks(0);
    }
    finish(now);
    return now.getState() == TaskState.TASK_DONE && now.getFilesFailed() == 0
        ? 0
        : Main.SOME_FAILED;
  }

  /** The console is null again where there is no terminal, from JDK 25 on. */
  @SuppressWarnings("SystemConsoleNull")
  private static boolean isTerminal() {
    var console = System.console();
    return console != null && console.isTerminal();
  }

  static boolean running(TaskRecord task) {
    return task.getState() == TaskState.TASK_PENDING || task.getState() == TaskState.TASK_RUNNING;
  }

  private void show(TaskRecord task) {
    if (json) {
      return;
    }
    if (terminal) {
      err.print("\r\u001b[K" + bar(task) + " " + counts(task));
      err.flush();
    } else if (System.nanoTime() - printedNanos >= LINE_EVERY_NANOS) {
      printedNanos = System.nanoTime();
      err.println(counts(task));
      err.flush();
    }
  }

  private static String bar(TaskRecord task) {
    double share =
        task.getBytesTotal() > 0
            ? (double) task.getBytesDone() / task.getBytesTotal()
            : task.getFilesTotal() > 0 ? (double) handled(task) / task.getFilesTotal() : 0;
    int full = (int) Math.round(Math.clamp(share, 0, 1) * BAR_CHARS);
    return "[" + "#".repeat(full) + " ".repeat(BAR_CHARS - full) + "]";
  }

  private static long handled(TaskRecord task) {
    return task.getFilesDone() + task.getFilesSkipped() + task.getFilesFailed();
  }

  private String counts(TaskRecord task) {
    double seconds = Math.max(1e-3, (System.nanoTime() - startedNanos) / 1e9);
    String total = task.getFilesTotal() > 0 ? "/" + task.getFilesTotal() : "";
    String text =
        String.format(
            Locale.ROOT,
            "%s %d%s files, %s, %.0f files/s, %s/s",
            name(task),
            handled(task),
            total,
            Units.bytes(task.getBytesDone()),
            handled(task) / seconds,
            Units.bytes((long) (task.getBytesDone() / seconds)));
    return text + left(task, seconds);
  }

  private static String left(TaskRecord task, double seconds) {
    if (task.getFilesTotal() == 0 || handled(task) == 0) {
      return "";
    }
    double rest = seconds * (task.getFilesTotal() - handled(task)) / handled(task);
    return ", " + Units.time(Duration.ofMillis((long) (rest * 1000))) + " left";
  }

  private static String name(TaskRecord task) {
    return task.getKind().name().substring("TASK_".length()).toLowerCase(Locale.ROOT);
  }

  private void finish(TaskRecord task) {
    if (terminal && !json) {
      err.print("\r\u001b[K");
      err.flush();
    }
    if (json) {
      out.println(Json.text(task));
    } else {
      out.println(summary(task));
      task.getFailuresList().stream().limit(FAILURES_SHOWN).forEach(this::failure);
      if (task.getFailuresCount() > FAILURES_SHOWN) {
        out.printf("  … millrace task report %d lists all%n", task.getId());
      }
    }
    out.flush();
  }

  private void failure(TaskFailure failure) {
    out.printf("  %s: %s %s%n", failure.getPath(), failure.getCode(), failure.getDetail());
  }

  static String summary(TaskRecord task) {
    String state = task.getState().name().substring("TASK_".length()).toLowerCase(Locale.ROOT);
    return String.format(
            Locale.ROOT,
            "%s %s (task %d): %d files done, %d skipped, %d failed, %s in %s",
            name(task),
            state,
            task.getId(),
            task.getFilesDone(),
            task.getFilesSkipped(),
            task.getFilesFailed(),
            Units.bytes(task.getBytesDone()),
            elapsed(task))
        + (task.getError().isEmpty() ? "" : ": " + task.getError());
  }

  private static String elapsed(TaskRecord task) {
    if (task.getStartedNs() == 0) {
      return "0 s";
    }
    long end =
        task.getFinishedNs() > 0 ? task.getFinishedNs() : System.currentTimeMillis() * 1_000_000;
    return String.format(Locale.ROOT, "%.1f s", (end - task.getStartedNs()) / 1e9);
  }
}
