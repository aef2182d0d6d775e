package io.millrace.link;

import com.google.protobuf.ByteString;
import io.millrace.core.api.FsException;
import io.millrace.proto.TaskFailure;
import io.millrace.proto.TaskRecord;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/**
 * What a running task has done so far. Written by the task's threads, read by whoever shows it.
 * Each file counts once: as done, skipped or failed (S24).
 */
final class TaskProgress {
  static final int FAILURES_KEPT = 1000;

  private final AtomicLong filesTotal = new AtomicLong();
  private final AtomicLong filesDone = new AtomicLong();
  private final AtomicLong filesSkipped = new AtomicLong();
  private final AtomicLong filesFailed = new AtomicLong();
  private final AtomicLong bytesTotal = new AtomicLong();
  private final AtomicLong bytesDone = new AtomicLong();
  private final List<TaskFailure> failures = new ArrayList<>();
  private volatile ByteString checkpoint;

  /** Goes on from what the record says, where it was interrupted by a restart. */
  TaskProgress(TaskRecord from) {
    checkpoint = from.getCheckpoint();
    if (!checkpoint.isEmpty()) {
      filesDone.set(from.getFilesDone());
      filesSkipped.set(from.getFilesSkipped());
      filesFailed.set(from.getFilesFailed());
      bytesDone.set(from.getBytesDone());
      failures.addAll(from.getFailuresList());
    }
  }

  void done(long files, long bytes) {
    filesDone.addAndGet(files);
    bytesDone.addAndGet(bytes);
  }

  void bytes(long bytes) {
    bytesDone.addAndGet(bytes);
  }

  void skipped(long files) {
    filesSkipped.addAndGet(files);
  }

  void total(long files, long bytes) {
    filesTotal.set(files);
    bytesTotal.set(bytes);
  }

  void failed(String path, String code, String detail) {
    filesFailed.incrementAndGet();
    noted(path, code, detail);
  }

  void failed(String path, FsException failure) {
    failed(path, failure.errno().name(), failure.getMessage());
  }

  /** A row for people about a file that was counted elsewhere. */
  void noted(String path, String code, String detail) {
    synchronized (failures) {
      if (failures.size() < FAILURES_KEPT) {
        failures.add(
            TaskFailure.newBuilder().setPath(path).setCode(code).setDetail(detail).build());
      }
    }
  }

  /** Where the task may go on after a restart; all before it is done. */
  void checkpoint(ByteString place) {
    checkpoint = place;
  }

  ByteString checkpoint() {
    return checkpoint;
  }

  boolean anyFailed() {
    return filesFailed.get() > 0;
  }

  TaskRecord over(TaskRecord record) {
    TaskRecord.Builder now =
        record.toBuilder()
            .setFilesTotal(filesTotal.get())
            .setFilesDone(filesDone.get())
            .setFilesSkipped(filesSkipped.get())
            .setFilesFailed(filesFailed.get())
            .setBytesTotal(bytesTotal.get())
            .setBytesDone(bytesDone.get())
            .setCheckpoint(checkpoint)
            .clearFailures();
    synchronized (failures) {
      now.addAllFailures(failures);
    }
    return now.build();
  }
}
