package io.millrace.link;

import io.millrace.core.api.FsException;
import io.millrace.core.path.TreePath;
import io.millrace.proto.LinkRecord;
import io.millrace.proto.TaskKind;
import io.millrace.proto.TaskRecord;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What links do by the clock: import every so often (S23), release what was not read for long. One
 * virtual thread owns it. A link's imports share one task record, else records would pile up.
 */
final class LinkSchedule implements AutoCloseable {
  private static final Logger LOG = System.getLogger(LinkSchedule.class.getName());
  private static final Duration TICK = Duration.ofMillis(250);

  private final LinkParts parts;
  private final TaskRunner tasks;
  private final Map<Integer, Long> lastImport = new HashMap<>();
  private final Map<Integer, Long> importTask = new HashMap<>();
  private long lastEvict = System.nanoTime();
  private Thread thread;

  LinkSchedule(LinkParts parts, TaskRunner tasks) {
    this.parts = parts;
    this.tasks = tasks;
  }

  void start() {
    thread = Thread.ofVirtual().name("link-schedule").start(this::run);
  }

  private void run() {
    while (!Thread.currentThread().isInterrupted()) {
      try {
        Thread.sleep(TICK);
        tick();
      } catch (InterruptedException e) {
        return;
      } catch (FsException e) {
        LOG.log(Level.WARNING, "scheduled work failed", e);
      } catch (RuntimeException e) {
        LOG.log(Level.ERROR, "scheduled work failed", e);
      }
    }
  }

  private void tick() throws InterruptedException {
    long now = System.nanoTime();
    for (LinkRecord link : parts.namespace().links()) {
      long every = link.getAutoImportSeconds() * 1_000_000_000L;
      long last = lastImport.computeIfAbsent(link.getId(), id -> now);
      if (every > 0 && now - last >= every) {
        lastImport.put(link.getId(), now);
        importNow(link);
      }
    }
    if (now - lastEvict >= parts.config().evictEvery().toNanos()) {
      lastEvict = now;
      for (LinkRecord link : parts.namespace().links()) {
        evictOld(link);
      }
    }
  }

  private void importNow(LinkRecord link) {
    Long known = importTask.get(link.getId());
    if (known != null && tasks.isRunning(known)) {
      return; // the listing takes longer than the interval
    }
    TaskRecord task =
        TaskRecord.newBuilder()
            .setKind(TaskKind.TASK_IMPORT)
            .setLink(link.getId())
            .setPath(TreePath.of(parts.namespace(), link.getRoot()))
            .setDeleteMissing(true)
            .build();
    if (known == null) {
      importTask.put(link.getId(), tasks.start(task).getId());
    } else {
      tasks.again(task.toBuilder().setId(known).build());
    }
  }

  private void evictOld(LinkRecord link) throws InterruptedException {
    if (link.getEvictAfterSeconds() == 0) {
      return;
    }
    var progress = new TaskProgress(TaskRecord.getDefaultInstance());
    new EvictJob(
            parts,
            link.getEvictAfterSeconds(),
            false,
            List.of(parts.namespace().inode(link.getRoot())),
            progress)
        .run();
    TaskRecord done = progress.over(TaskRecord.getDefaultInstance());
    LOG.log(
        Level.DEBUG,
        () -> "released " + done.getFilesDone() + " files, " + done.getBytesDone() + " bytes");
  }

  @Override
  public void close() {
    if (thread == null) {
      return;
    }
    thread.interrupt();
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
