package io.millrace.client;

import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The bytes of one dirty file that are still in memory; under that file's lock. */
final class DirtyChunks {
  /** By file offset; they take writes. */
  final TreeMap<Long, WriteChunk> live = new TreeMap<>();

  /** Sealed ones, oldest first. */
  final ArrayDeque<WriteChunk> sealed = new ArrayDeque<>();

  boolean isEmpty() {
    return live.isEmpty() && sealed.isEmpty();
  }

  /** File offset after the last live byte; 0: there is none. */
  long liveEnd() {
    return live.isEmpty() ? 0 : live.lastEntry().getValue().end();
  }

  /** Whether all that were sealed up to {@code serial} are at the node, but for {@code except}. */
  boolean storedUpTo(long serial, WriteChunk except) {
    return sealed.stream().noneMatch(c -> c.serial <= serial && c != except);
  }

  /**
   * The chunk is at the node: what older ones of the same place hold is not to be read any more.
   */
  void stored(WriteChunk chunk) {
    sealed.remove(chunk);
    sealed.stream()
        .filter(older -> older.start == chunk.start && older.serial < chunk.serial)
        .forEach(older -> older.superseded = true);
  }

  /** Newest bytes first, until no hole is left. */
  void fill(ReadHoles holes, MemorySegment target) {
    live.values().forEach(c -> c.fill(holes, target));
    for (var it = sealed.descendingIterator(); it.hasNext() && !holes.isFilled(); ) {
      WriteChunk chunk = it.next();
      if (!chunk.superseded) {
        chunk.fill(holes, target);
      }
    }
  }

  /** Also true where live data lies behind the range. */
  boolean touches(long offset, long length) {
    return liveEnd() > offset || sealed.stream().anyMatch(c -> c.overlaps(offset, length));
  }

  void cutAt(long size, WriteBuffers buffers) {
    for (WriteChunk chunk : List.copyOf(live.tailMap(size, true).values())) {
      live.remove(chunk.start);
      chunk.giveBack(buffers);
    }
    Map.Entry<Long, WriteChunk> last = live.floorEntry(size);
    if (last != null) {
      last.getValue().cutAt(size);
      if (last.getValue().isEmpty()) {
        live.remove(last.getKey());
        last.getValue().giveBack(buffers);
      }
    }
  }

  void dropLive(WriteBuffers buffers) {
    live.values().forEach(c -> c.giveBack(buffers));
    live.clear();
  }
}
