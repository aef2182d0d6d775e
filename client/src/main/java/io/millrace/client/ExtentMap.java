package io.millrace.client;

import io.millrace.proto.Extent;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Extents by file offset, where a later one replaces what it overlaps. Guarded by the lock of its
 * {@link DirtyFile}. Invariant: no two overlap; two that continue each other in file and stream are
 * one.
 */
final class ExtentMap {
  private final TreeMap<Long, Extent> extents = new TreeMap<>();

  void put(Extent extent) {
    long start = extent.getFileOffset();
    cut(start, start + extent.getLength());
    Map.Entry<Long, Extent> before = extents.lowerEntry(start);
    Extent merged = extent;
    if (before != null && continues(before.getValue(), extent)) {
      merged =
          before.getValue().toBuilder()
              .setLength(before.getValue().getLength() + extent.getLength())
              .build();
    }
    extents.put(merged.getFileOffset(), merged);
  }

  private static boolean continues(Extent a, Extent b) {
    return a.getVersion() == b.getVersion()
        && a.getFileOffset() + a.getLength() == b.getFileOffset()
        && a.getStreamOffset() + a.getLength() == b.getStreamOffset();
  }

  /** Takes the range out. */
  void cut(long from, long to) {
    Map.Entry<Long, Extent> before = extents.lowerEntry(from);
    if (before != null && end(before.getValue()) > from) {
      Extent e = before.getValue();
      extents.put(e.getFileOffset(), e.toBuilder().setLength(from - e.getFileOffset()).build());
      putTail(e, to);
    }
    for (var at = extents.ceilingEntry(from);
        at != null && at.getKey() < to;
        at = extents.ceilingEntry(from)) {
      extents.remove(at.getKey());
      putTail(at.getValue(), to);
    }
  }

  private void putTail(Extent e, long to) {
    if (end(e) > to) {
      long skipped = to - e.getFileOffset();
      extents.put(
          to,
          e.toBuilder()
              .setFileOffset(to)
              .setLength(e.getLength() - skipped)
              .setStreamOffset(e.getStreamOffset() + skipped)
              .build());
    }
  }

  boolean overlaps(long offset, long length) {
    Map.Entry<Long, Extent> before = extents.lowerEntry(offset + length);
    return before != null && end(before.getValue()) > offset;
  }

  /** File offset after the last byte; 0 when empty. */
  long end() {
    return extents.isEmpty() ? 0 : end(extents.lastEntry().getValue());
  }

  private static long end(Extent e) {
    return e.getFileOffset() + e.getLength();
  }

  boolean isEmpty() {
    return extents.isEmpty();
  }

  int size() {
    return extents.size();
  }

  List<Extent> list() {
    return new ArrayList<>(extents.values());
  }
}
