package io.millrace.meta.audit;

import io.millrace.meta.audit.Finding.Kind;
import io.millrace.meta.row.ExtentRow;
import io.millrace.meta.row.InodeState;
import io.millrace.meta.row.Keys;
import io.millrace.meta.store.RowBatch;
import io.millrace.meta.store.Rows;
import io.millrace.proto.Extent;
import java.util.function.BiConsumer;

/** Checks the extents of one file after the other: within its size, apart, indexed by stream. */
final class ExtentAudit {
  private final AuditView view;
  private final BiConsumer<InodeState, Extent> content;

  /**
   * @param content gets each extent of each file, a uniform file's too
   */
  ExtentAudit(AuditView view, BiConsumer<InodeState, Extent> content) {
    this.view = view;
    this.content = content;
  }

  void file(InodeState file) {
    byte[] prefix = Keys.extents(file.ino);
    long rows = 0;
    long end = 0;
    boolean indexed = true;
    boolean sound = true;
    try (Rows.Cursor row = view.rows.scan(prefix, Keys.after(prefix))) {
      while (row.next()) {
        Extent extent = ExtentRow.decode(row.key(), row.value());
        rows++;
        indexed &= isIndexed(file, extent);
        if (placed(file, extent, end)) {
          content.accept(file, extent);
        } else {
          sound = false;
        }
        end = Math.max(end, extent.getFileOffset() + extent.getLength());
      }
    }
    if (file.version != 0) {
      content.accept(
          file, Extent.newBuilder().setLength(file.size).setVersion(file.version).build());
      uniform(file, rows);
    } else if (!indexed || streamRows(file) != rows) {
      view.report(
          Kind.EXTENT_INDEX,
          file.ino,
          "rows by stream differ from the extents",
          sound ? desk -> reindex(desk.batch(), file.ino) : null);
    }
  }

  private boolean placed(InodeState file, Extent extent, long end) {
    long from = extent.getFileOffset();
    long to = from + extent.getLength();
    if (from < end) {
      view.report(
          Kind.EXTENT_OVERLAP,
          file.ino,
          "two extents show offset " + from + ": which holds?",
          null);
    }
    if (to > file.size) {
      view.report(
          Kind.EXTENT_BEYOND_SIZE,
          file.ino,
          "an extent ends at %d, the file at %d: which holds?".formatted(to, file.size),
          null);
    }
    boolean real = extent.getVersion() != 0 && extent.getLength() > 0;
    if (!real) {
      view.report(Kind.EXTENT_VERSION, file.ino, "extent of no version at " + from, null);
    }
    return from >= end && to <= file.size && real;
  }

  private boolean isIndexed(InodeState file, Extent extent) {
    byte[] row =
        view.rows.get(Keys.stream(file.ino, extent.getVersion(), extent.getStreamOffset()));
    return row != null && ExtentRow.streamLength(row) == extent.getLength();
  }

  private long streamRows(InodeState file) {
    long[] count = {0};
    view.each(Keys.streams(file.ino), (key, value) -> count[0]++);
    return count[0];
  }

  private void uniform(InodeState file, long extentRows) {
    if (extentRows > 0 || streamRows(file) > 0) {
      view.report(
          Kind.EXTENT_OVERLAP, file.ino, "one version covers the file, and extents do too", null);
    }
    if (file.size == 0) {
      view.report(Kind.EXTENT_VERSION, file.ino, "an empty file shows a version", null);
    }
  }

  private static void reindex(RowBatch batch, long ino) {
    byte[] streams = Keys.streams(ino);
    try (Rows.Cursor row = batch.scan(streams, Keys.after(streams))) {
      while (row.next()) {
        batch.delete(row.key());
      }
    }
    byte[] extents = Keys.extents(ino);
    try (Rows.Cursor row = batch.scan(extents, Keys.after(extents))) {
      while (row.next()) {
        Extent extent = ExtentRow.decode(row.key(), row.value());
        batch.put(
            Keys.stream(ino, extent.getVersion(), extent.getStreamOffset()),
            ExtentRow.byStream(extent));
      }
    }
  }
}
