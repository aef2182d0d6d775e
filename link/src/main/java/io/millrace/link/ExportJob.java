package io.millrace.link;

import com.google.protobuf.ByteString;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.proto.Change;
import io.millrace.proto.LinkRecord;
import io.millrace.proto.TaskRecord;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/**
 * Exports, by hand, every change below some paths that was in the queue when it began. Waits for
 * files to be quiet (S19) and for the bucket to come back (S25). One thread plans; the queue's
 * threads work.
 */
final class ExportJob implements Job {
  private static final int PENDING_MAX = 10_000;
  private static final long BUSY_GIVEN_UP_NANOS = TimeUnit.SECONDS.toNanos(60);

  private final LinkParts parts;
  private final ExportQueue queue;
  private final TaskRecord task;
  private final LinkRecord link;
  private final ChangePaths below;
  private final TaskProgress progress;

  /** Rows to look at again, and when. Guarded by this. */
  private final TreeMap<Long, Long> pending = new TreeMap<>();

  private final TreeMap<Long, Long> firstRefused = new TreeMap<>();
  private int inWork;

  ExportJob(
      LinkParts parts,
      ExportQueue queue,
      TaskRecord task,
      LinkRecord link,
      List<ByteString> paths,
      TaskProgress progress) {
    this.parts = parts;
    this.queue = queue;
    this.task = task;
    this.link = link;
    this.below = new ChangePaths(parts.namespace(), link, paths);
    this.progress = progress;
  }

  @Override
  public void run() throws InterruptedException {
    long last = lastSeq();
    long seq = 0;
    while (seq < last) {
      for (Change change : queue.page(seq)) {
        seq = change.getSeq();
        if (seq <= last && wanted(change)) {
          take(change);
        }
      }
      awaitPending(PENDING_MAX);
    }
    awaitPending(1);
    awaitIdle();
  }

  private long lastSeq() {
    long[] last = {0};
    long[] rows = {0};
    queue.forEach(
        change -> {
          last[0] = change.getSeq();
          rows[0] += wanted(change) ? 1 : 0;
          return !Thread.currentThread().isInterrupted();
        });
    progress.total(rows[0], 0);
    return last[0];
  }

  private boolean wanted(Change change) {
    return below.contains(change);
  }

  private void take(Change change) throws InterruptedException {
    if (task.getDryRun()) {
      progress.done(1, 0);
      return;
    }
    long due = queue.dueInNanos(link, change);
    if (due > 0) {
      put(change.getSeq(), due);
      return;
    }
    synchronized (this) {
      inWork++;
    }
    queue.submit(link, change, result -> came(change, result));
  }

  private void came(Change change, ExportQueue.Result result) {
    switch (result) {
      case ExportQueue.Result.Done() -> progress.done(1, below.bytes(change));
      case ExportQueue.Result.Later() ->
          put(change.getSeq(), parts.config().retryFirst().toNanos());
      case ExportQueue.Result.Failed(FsException cause) -> failed(change, cause);
    }
    synchronized (this) {
      inWork--;
      notifyAll();
    }
  }

  private void failed(Change change, FsException cause) {
    if (BackOff.worthRetry(cause)) {
      put(change.getSeq(), parts.config().retryMost().toNanos());
    } else if (cause.errno() != Errno.EINTR) {
      progress.failed(below.shown(change), cause);
    }
  }

  private synchronized void put(long seq, long nanos) {
    pending.put(seq, System.nanoTime() + nanos);
    notifyAll();
  }

  /** Works on waiting rows until fewer than this many wait. */
  private void awaitPending(int fewer) throws InterruptedException {
    for (List<Long> due = due(fewer); due != null; due = due(fewer)) {
      for (long seq : due) {
        var change = queue.row(seq);
        if (change.isEmpty()) {
          progress.done(1, 0); // somebody else did it, or it changed and has a new row
        } else if (busyTooLong(seq, change.get())) {
          progress.failed(below.shown(change.get()), "EBUSY", "the file is still being written");
        } else {
          take(change.get());
        }
      }
    }
  }

  private boolean busyTooLong(long seq, Change change) {
    if (!parts.notifier().beingWritten(change.getIno())) {
      return false;
    }
    long now = System.nanoTime();
    Long first = firstRefused.putIfAbsent(seq, now);
    return first != null && now - first > BUSY_GIVEN_UP_NANOS;
  }

  /** Rows whose time has come; {@code null} when fewer than so many wait and none is in work. */
  private synchronized List<Long> due(int fewer) throws InterruptedException {
    while (true) {
      if (pending.size() < fewer && (fewer > 1 || inWork == 0)) {
        return null;
      }
      long now = System.nanoTime();
      var due = new ArrayList<Long>();
      long next = Long.MAX_VALUE;
      for (Map.Entry<Long, Long> row : pending.entrySet()) {
        long left = row.getValue() - now;
        if (left <= 0) {
          due.add(row.getKey());
        } else {
          next = Math.min(next, left);
        }
      }
      if (!due.isEmpty()) {
        due.forEach(pending::remove);
        return due;
      }
      wait(Math.clamp(next / 1_000_000, 1, 1000));
    }
  }

  private synchronized void awaitIdle() throws InterruptedException {
    while (inWork > 0) {
      wait();
    }
  }
}
