package io.millrace.client;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * The parts of one read that no layer has given yet. Layers come newest first; each fills what it
 * has. Used by one thread.
 */
final class ReadHoles {
  private record Hole(long from, long to) {}

  private final long offset;
  private List<Hole> holes = new ArrayList<>();

  ReadHoles(long offset, long length) {
    this.offset = offset;
    if (length > 0) {
      holes.add(new Hole(offset, offset + length));
    }
  }

  void fill(long from, int length, MemorySegment source, long sourceAt, MemorySegment target) {
    var left = new ArrayList<Hole>(holes.size() + 1);
    for (Hole hole : holes) {
      long first = Math.max(hole.from, from);
      long end = Math.min(hole.to, from + length);
      if (first >= end) {
        left.add(hole);
        continue;
      }
      MemorySegment.copy(source, sourceAt + first - from, target, first - offset, end - first);
      if (hole.from < first) {
        left.add(new Hole(hole.from, first));
      }
      if (end < hole.to) {
        left.add(new Hole(end, hole.to));
      }
    }
    holes = left;
  }

  boolean isFilled() {
    return holes.isEmpty();
  }
}
