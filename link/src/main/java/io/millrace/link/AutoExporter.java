package io.millrace.link;

import io.millrace.core.api.FsException;
import io.millrace.proto.Change;
import io.millrace.proto.LinkRecord;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * Exports one link's changes as they come. One virtual thread goes through the namespace's queue of
 * changes and remembers how far it got, so it looks at each row once, and again only at those that
 * had to wait. At most {@value #WAITING_MAX} rows wait here; beyond that the queue itself waits.
 */
final class AutoExporter implements AutoCloseable {
  private static final Logger LOG = System.getLogger(AutoExporter.class.getName());
  private static final int WAITING_MAX = 10_000;
  private static final long AT_MOST_EVERY_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

  private final LinkParts parts;
  private final int link;
  private final ExportQueue queue;

  /** Rows to look at again, and when, by seq. Guarded by itself. */
  private final TreeMap<Long, Long> waiting = new TreeMap<>();

  private final Map<Long, Integer> failures = new HashMap<>();
  private volatile boolean news;
  private volatile boolean closing;
  private long passed;
  private LinkRecord policy = LinkRecord.getDefaultInstance();
  private Thread thread;

  AutoExporter(LinkParts parts, int link, ExportQueue queue) {
    this.parts = parts;
    this.link = link;
    this.queue = queue;
  }

  void start() {
    thread = Thread.ofVirtual().name("auto-export-" + link).start(this::run);
  }

  /** Something was changed below the link. Cheap; any thread. */
  void wake() {
    if (!news) {
      news = true;
      LockSupport.unpark(thread);
    }
  }

  private void run() {
    while (!closing) {
      long begun = System.nanoTime();
      news = false;
      long pause = parts.config().sweepEvery().toNanos();
      try {
        pause = pass();
      } catch (InterruptedException e) {
        return;
      } catch (FsException e) {
        LOG.log(Level.WARNING, "export stops for a while", e);
      } catch (RuntimeException e) {
        LOG.log(Level.ERROR, "export stops for a while", e);
      }
      rest(begun, pause);
    }
  }

  private void rest(long begun, long pause) {
    long least = begun + AT_MOST_EVERY_NANOS;
    long end = begun + Math.max(pause, AT_MOST_EVERY_NANOS);
    for (long now = System.nanoTime(); now < end && !closing; now = System.nanoTime()) {
      if (news && now >= least) {
        return;
      }
      LockSupport.parkNanos(this, news ? least - now : end - now);
    }
  }

  /**
   * @return nanoseconds until there is something to do, unless there is news
   */
  private long pass() throws InterruptedException {
    LinkRecord record = parts.namespace().link(link).orElse(LinkRecord.getDefaultInstance());
    if (!record.getExportNew() && !record.getExportChanged() && !record.getExportDeleted()) {
      return parts.config().sweepEvery().toNanos();
    }
    if (!record.equals(policy)) {
      policy = record;
      passed = 0; // rows that were passed over may be wanted now
    }
    again(record);
    for (var page = queue.page(passed); !page.isEmpty() && !full(); page = queue.page(passed)) {
      for (Change change : page) {
        if (queue.automatic(record, change)) {
          consider(record, change);
        }
        passed = change.getSeq();
      }
    }
    return untilNext();
  }

  private void again(LinkRecord record) throws InterruptedException {
    long now = System.nanoTime();
    for (long seq : due(now)) {
      var change = queue.row(seq);
      if (change.isPresent() && queue.automatic(record, change.get())) {
        consider(record, change.get());
      } else {
        forget(seq);
      }
    }
  }

  private long[] due(long now) {
    synchronized (waiting) {
      long[] due =
          waiting.entrySet().stream()
              .filter(row -> row.getValue() - now <= 0)
              .mapToLong(Map.Entry::getKey)
              .toArray();
      for (long seq : due) {
        waiting.remove(seq);
      }
      return due;
    }
  }

  private boolean full() {
    synchronized (waiting) {
      return waiting.size() >= WAITING_MAX;
    }
  }

  private void consider(LinkRecord record, Change change) throws InterruptedException {
    long dueIn = queue.dueInNanos(record, change);
    if (dueIn > 0) {
      later(change.getSeq(), dueIn);
      return;
    }
    queue.submit(record, change, result -> came(change.getSeq(), result));
  }

  private void came(long seq, ExportQueue.Result result) {
    switch (result) {
      case ExportQueue.Result.Done() -> forget(seq);
      case ExportQueue.Result.Later() -> later(seq, parts.config().retryFirst().toNanos());
      case ExportQueue.Result.Failed(FsException cause) -> later(seq, pause(seq, cause));
    }
    if (!(result instanceof ExportQueue.Result.Done) || full()) {
      wake(); // to plan its next look
    }
  }

  /** Doubles with each failure of this row; what no retry mends is tried rarely. */
  private long pause(long seq, FsException cause) {
    int failed;
    synchronized (waiting) {
      failed = failures.merge(seq, 1, Integer::sum);
    }
    long most = parts.config().retryMost().toNanos();
    if (!BackOff.worthRetry(cause)) {
      return most;
    }
    return Math.min(most, parts.config().retryFirst().toNanos() << Math.min(failed, 20));
  }

  private void later(long seq, long nanos) {
    synchronized (waiting) {
      waiting.put(seq, System.nanoTime() + nanos);
    }
  }

  private void forget(long seq) {
    synchronized (waiting) {
      waiting.remove(seq);
      failures.remove(seq);
    }
  }

  private long untilNext() {
    long sweep = parts.config().sweepEvery().toNanos();
    long now = System.nanoTime();
    synchronized (waiting) {
      return waiting.values().stream().mapToLong(at -> at - now).min().orElse(sweep);
    }
  }

  @Override
  public void close() {
    closing = true;
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
