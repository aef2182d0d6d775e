package io.millrace.link;

import com.google.protobuf.ByteString;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.proto.Command;
import io.millrace.proto.PutTask;
import io.millrace.proto.TaskFailure;
import io.millrace.proto.TaskQuery;
import io.millrace.proto.TaskRecord;
import io.millrace.proto.TaskState;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Runs tasks in the background and records them in the namespace, so that they are known, and go
 * on, after a restart. Any thread. Each task has one virtual thread; one more writes progress.
 */
final class TaskRunner implements AutoCloseable {
  private static final Logger LOG = System.getLogger(TaskRunner.class.getName());

  /** Makes the work of a task. */
  @FunctionalInterface
  interface Jobs {
    /**
     * @param paths what to work on: the task's path, or the failed ones of a retry
     */
    Job job(TaskRecord task, List<ByteString> paths, TaskProgress progress);
  }

  private final class Running {
    final List<ByteString> paths;
    final TaskProgress progress;
    private final Object writing = new Object();
    TaskRecord record;
    TaskRecord written;
    Thread thread;

    Running(TaskRecord record, List<ByteString> paths) {
      this.record = record;
      this.written = record;
      this.paths = paths;
      this.progress = new TaskProgress(record);
    }

    synchronized TaskRecord now() {
      return progress.over(record);
    }

    /** The record's writers wait for one another here, not those who only look. */
    void write() {
      synchronized (writing) {
        TaskRecord now = now();
        if (!now.equals(written) && now.getFinishedNs() == 0) {
          put(now, false);
          written = now;
        }
      }
    }

    synchronized void askCancel() {
      record = record.toBuilder().setCancelAsked(true).build();
      thread.interrupt();
    }

    /** Shown as ended only once that is recorded: who saw it done may stop the process. */
    void end(TaskState state, String error) {
      synchronized (writing) {
        TaskRecord ended =
            now().toBuilder()
                .setState(state)
                .setError(error)
                .setFinishedNs(writer.nowNanos())
                .build();
        put(ended, true);
        shown(ended);
      }
    }

    private synchronized void shown(TaskRecord ended) {
      record = ended;
    }

    synchronized boolean cancelled() {
      return record.getCancelAsked();
    }
  }

  private final LinkParts parts;
  private final NamespaceWriter writer;
  private final Jobs jobs;
  private final Duration progressEvery;
  private final ConcurrentHashMap<Long, Running> running = new ConcurrentHashMap<>();
  private final Object news = new Object();
  private long newsCount;
  private volatile boolean closing;
  private Thread ticker;

  TaskRunner(LinkParts parts, Jobs jobs) {
    this.parts = parts;
    this.writer = parts.writer();
    this.jobs = jobs;
    this.progressEvery = parts.config().progressEvery();
  }

  /** Goes on with what the last process left unfinished. */
  void resume() {
    ticker = Thread.ofVirtual().name("task-progress").start(this::writeProgress);
    for (TaskRecord task : parts.namespace().tasks()) {
      if (task.getState() == TaskState.TASK_RUNNING || task.getState() == TaskState.TASK_PENDING) {
        run(task, List.of(task.getPath()));
      }
    }
  }

  /** Records the task and starts it. */
  TaskRecord start(TaskRecord asked) {
    TaskRecord task =
        asked.toBuilder()
            .setId(0)
            .setState(TaskState.TASK_PENDING)
            .setCreatedNs(writer.nowNanos())
            .build();
    long id = put(task, true);
    return run(task.toBuilder().setId(id).build(), List.of(task.getPath()));
  }

  /** Runs a finished task once more under its id, from the beginning. */
  TaskRecord again(TaskRecord task) {
    return run(fresh(task), List.of(task.getPath()));
  }

  private static TaskRecord fresh(TaskRecord task) {
    return task.toBuilder()
        .clearCheckpoint()
        .clearFailures()
        .clearCancelAsked()
        .clearError()
        .clearFinishedNs()
        .build();
  }

  /** Runs the failed files of a finished task again. */
  TaskRecord retry(long id) {
    if (running.containsKey(id)) {
      throw new FsException(Errno.EBUSY, "the task is still running", "task", id);
    }
    TaskRecord task = recorded(id);
    List<ByteString> failed =
        task.getFailuresList().stream().map(TaskFailure::getPathBytes).distinct().toList();
    return run(fresh(task), failed.isEmpty() ? List.of(task.getPath()) : failed);
  }

  private TaskRecord run(TaskRecord task, List<ByteString> paths) {
    TaskRecord started =
        task.toBuilder().setState(TaskState.TASK_RUNNING).setStartedNs(writer.nowNanos()).build();
    var run = new Running(started, paths);
    running.put(task.getId(), run);
    run.thread = Thread.ofVirtual().name("task-" + task.getId()).unstarted(() -> work(run));
    put(run.now(), false);
    run.thread.start();
    return run.now();
  }

  private void work(Running run) {
    TaskState state = TaskState.TASK_FAILED;
    String error = "";
    try {
      jobs.job(run.record, run.paths, run.progress).run();
      state = run.progress.anyFailed() ? TaskState.TASK_FAILED : TaskState.TASK_DONE;
    } catch (InterruptedException e) {
      error = "interrupted";
    } catch (FsException e) {
      error = e.getMessage();
    } catch (RuntimeException | Error e) {
      LOG.log(Level.ERROR, "task failed: " + run.record.getId(), e);
      error = e.toString();
    }
    Thread.interrupted();
    end(run, run.cancelled() ? TaskState.TASK_CANCELLED : state, run.cancelled() ? "" : error);
  }

  private void end(Running run, TaskState state, String error) {
    try {
      if (closing && state != TaskState.TASK_DONE) {
        run.write(); // it stays RUNNING: the next process goes on with it
      } else {
        run.end(state, error);
      }
    } catch (FsException e) {
      LOG.log(Level.WARNING, "task's end was not recorded: " + run.record.getId(), e);
    } finally {
      running.remove(run.record.getId());
      tell();
    }
  }

  void cancel(long id) {
    Running run = running.get(id);
    if (run != null) {
      run.askCancel();
    } else {
      recorded(id);
    }
  }

  /** Cancels the running tasks of a link and waits for them. */
  void cancelOf(int link) {
    for (Running run : running.values()) {
      if (run.record.getLink() == link) {
        run.askCancel();
        join(run.thread);
      }
    }
  }

  /** Tasks as they stand; waits for news where the query asks for that. */
  List<TaskRecord> query(TaskQuery query) {
    if (query.getNewerThanMs() > 0 && (query.getId() == 0 || running.containsKey(query.getId()))) {
      awaitNews(query.getNewerThanMs());
    }
    if (query.getId() != 0) {
      return List.of(now(query.getId()));
    }
    return parts.namespace().tasks().stream().map(task -> now(task.getId())).toList();
  }

  TaskRecord now(long id) {
    Running run = running.get(id);
    return run == null ? recorded(id) : run.now();
  }

  boolean isRunning(long id) {
    return running.containsKey(id);
  }

  private TaskRecord recorded(long id) {
    Optional<TaskRecord> task = parts.namespace().task(id);
    return task.orElseThrow(
        () ->
            new FsException(Errno.ENOENT, "no such task; `millrace task ls` shows all", "id", id));
  }

  private long put(TaskRecord task, boolean sync) {
    Command.Builder command = Command.newBuilder().setPutTask(PutTask.newBuilder().setTask(task));
    return writer.apply(command, sync).getTaskId();
  }

  private void writeProgress() {
    while (!closing) {
      try {
        Thread.sleep(progressEvery);
        running.values().forEach(Running::write);
      } catch (InterruptedException e) {
        return;
      } catch (FsException e) {
        LOG.log(Level.WARNING, "progress was not recorded", e);
      }
      tell();
    }
  }

  private void tell() {
    synchronized (news) {
      newsCount++;
      news.notifyAll();
    }
  }

  private void awaitNews(long millis) {
    long end = System.nanoTime() + millis * 1_000_000L;
    synchronized (news) {
      long seen = newsCount;
      try {
        for (long left = millis; newsCount == seen && left > 0; ) {
          news.wait(left);
          left = (end - System.nanoTime()) / 1_000_000L;
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new FsException(e, Errno.EINTR, "interrupted while waiting for progress");
      }
    }
  }

  private static void join(Thread thread) {
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new FsException(e, Errno.EINTR, "interrupted while a task ends");
    }
  }

  @Override
  public void close() {
    closing = true;
    if (ticker != null) {
      ticker.interrupt();
      join(ticker);
    }
    for (Running run : running.values()) {
      run.thread.interrupt();
      join(run.thread);
    }
  }
}
