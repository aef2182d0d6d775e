package io.millrace.link;

import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.proto.Change;
import io.millrace.proto.ChangeKind;
import io.millrace.proto.Inode;
import io.millrace.proto.LinkRecord;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.function.Consumer;
import java.util.function.Predicate;

/**
 * One link's queue of changes as its exporters see it: which rows are due, and that no row and no
 * inode is worked on twice at a time. Any thread. At most the configured number of rows are in
 * work.
 */
final class ExportQueue implements AutoCloseable {
  private static final int PAGE = 256;

  private final LinkParts parts;
  private final FileExporter exporter;
  private final int link;
  private final Semaphore free;
  private final Set<Thread> workers = ConcurrentHashMap.newKeySet();
  private final Set<Long> inWork = ConcurrentHashMap.newKeySet();
  private final Set<Long> inodesInWork = ConcurrentHashMap.newKeySet();

  ExportQueue(LinkParts parts, FileExporter exporter, int link) {
    this.parts = parts;
    this.exporter = exporter;
    this.link = link;
    this.free = new Semaphore(parts.config().exportsInFlight());
  }

  /** What came of one row. */
  sealed interface Result {
    record Done() implements Result {}

    /** Changed meanwhile, or somebody else works on it. */
    record Later() implements Result {}

    record Failed(FsException cause) implements Result {}
  }

  boolean exporting(long ino) {
    return inodesInWork.contains(ino);
  }

  List<Change> page(long afterSeq) {
    return parts.namespace().changes(link, afterSeq, PAGE);
  }

  /** The row as it stands; empty when it is done or was moved to the end of the queue. */
  Optional<Change> row(long seq) {
    return parts.namespace().changes(link, seq - 1, 1).stream()
        .filter(change -> change.getSeq() == seq)
        .findFirst();
  }

  /**
   * When the row may be exported: closed, and quiet for the link's time (S19).
   *
   * @return nanoseconds from now; 0 or less: now
   */
  long dueInNanos(LinkRecord record, Change change) {
    if (change.getKind() != ChangeKind.CHANGE_CONTENT) {
      return 0;
    }
    if (parts.notifier().beingWritten(change.getIno())) {
      return Math.max(1, record.getQuietMs() * 1_000_000L);
    }
    try {
      Inode inode = parts.namespace().inode(change.getIno());
      long quiet = parts.writer().nowNanos() - inode.getCtimeNs();
      return record.getQuietMs() * 1_000_000L - quiet;
    } catch (FsException e) {
      return 0; // gone: the exporter resolves the row
    }
  }

  /** Whether the link's automatic export is for this row. */
  boolean automatic(LinkRecord record, Change change) {
    return switch (change.getKind()) {
      case CHANGE_DELETED -> true; // without the policy the row goes and a tombstone stays
      case CHANGE_ATTR, CHANGE_MOVED_DIR -> record.getExportChanged();
      case CHANGE_CONTENT -> isNew(change) ? record.getExportNew() : record.getExportChanged();
      case UNRECOGNIZED -> false;
    };
  }

  private boolean isNew(Change change) {
    try {
      return !parts.namespace().inode(change.getIno()).hasObject();
    } catch (FsException e) {
      return true;
    }
  }

  /** Waits for room, then works on the row on a thread of its own. */
  void submit(LinkRecord record, Change change, Consumer<Result> result)
      throws InterruptedException {
    free.acquire();
    Thread worker = Thread.ofVirtual().name("export").unstarted(() -> run(record, change, result));
    workers.add(worker);
    worker.start();
  }

  private void run(LinkRecord record, Change change, Consumer<Result> result) {
    Result came;
    try {
      came = work(record, change);
    } finally {
      workers.remove(Thread.currentThread());
      free.release();
    }
    result.accept(came);
  }

  private Result work(LinkRecord record, Change change) {
    if (!inWork.add(change.getSeq())) {
      return new Result.Later();
    }
    try {
      if (!inodesInWork.add(change.getIno())) {
        return new Result.Later();
      }
      try {
        return export(record, change);
      } finally {
        inodesInWork.remove(change.getIno());
      }
    } finally {
      inWork.remove(change.getSeq());
    }
  }

  private Result export(LinkRecord record, Change change) {
    if (row(change.getSeq()).isEmpty()) {
      return new Result.Done();
    }
    BackOff backOff = null;
    try {
      backOff = parts.buckets().of(link).backOff();
      FileExporter.Outcome outcome = exporter.export(record, change);
      backOff.succeeded();
      return outcome == FileExporter.Outcome.DONE ? new Result.Done() : new Result.Later();
    } catch (FsException e) {
      if (e.errno() == Errno.ESTALE) {
        return new Result.Later(); // the file changed under the upload
      }
      if (backOff != null) {
        backOff.failed(e);
      }
      return new Result.Failed(e);
    } catch (RuntimeException | Error e) {
      return new Result.Failed(new FsException(e, Errno.EIO, "export failed", "cause", e));
    }
  }

  /** Goes through all rows once, in order. */
  void forEach(Predicate<Change> each) {
    long seq = 0;
    for (List<Change> page = page(seq); !page.isEmpty(); page = page(seq)) {
      for (Change change : page) {
        if (!each.test(change)) {
          return;
        }
        seq = change.getSeq();
      }
    }
  }

  /** Interrupts what is in work and waits for its end; the rows stay in the queue. */
  @Override
  public void close() {
    for (Thread worker : workers) {
      worker.interrupt();
      try {
        worker.join();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
    }
  }
}
