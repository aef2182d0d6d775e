package io.millrace.meta.tree;

import io.millrace.meta.row.ExtentRow;
import io.millrace.meta.row.InodeState;
import io.millrace.meta.row.Keys;
import io.millrace.meta.store.Rows;
import io.millrace.proto.Extent;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Reads the extents of files, uniform or not. */
public final class ExtentReader {
  private ExtentReader() {}

  /** Extents that touch [from, to), whole, in order. */
  public static List<Extent> touching(Rows rows, InodeState file, long from, long to) {
    if (file.version != 0) {
      boolean touches = file.size > 0 && from < file.size && to > 0 && from < to;
      return touches ? List.of(uniform(file)) : List.of();
    }
    if (file.size == 0 || from >= to) {
      return List.of();
    }
    var found = new ArrayList<Extent>();
    byte[] start = Keys.extent(file.ino, from);
    Map.Entry<byte[], byte[]> before = rows.floor(Keys.extents(file.ino), start);
    if (before != null) {
      Extent extent = ExtentRow.decode(before.getKey(), before.getValue());
      if (end(extent) > from) {
        start = before.getKey();
      }
    }
    try (Rows.Cursor row = rows.scan(start, Keys.extent(file.ino, to))) {
      while (row.next()) {
        found.add(ExtentRow.decode(row.key(), row.value()));
      }
    }
    return found;
  }

  static Extent uniform(InodeState file) {
    return Extent.newBuilder().setLength(file.size).setVersion(file.version).build();
  }

  public static long end(Extent extent) {
    return extent.getFileOffset() + extent.getLength();
  }

  static long streamEnd(Extent extent) {
    return extent.getStreamOffset() + extent.getLength();
  }
}
