package io.millrace.client;

import io.millrace.core.api.BlockId;
import io.millrace.proto.Extent;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * What was written into one aligned 4 MiB piece of a file: a buffer, and which ranges of it hold
 * data. Starts small, for small files. Once {@link #seal}ed its bytes never change until the buffer
 * goes back. Guarded by the lock of its {@link DirtyFile}.
 *
 * <p>Invariant: ranges are sorted and neither overlap nor touch; before sealing the byte of file
 * offset {@code o} lies at {@code o - start - base} of the buffer.
 */
final class WriteChunk {
  static final int BYTES = BlockId.MAX_BYTES;

  /** More ranges than this make a new chunk, so that one commit stays small. */
  static final int RANGES_MAX = 256;

  final long start;
  private WriteBuffers.Buffer buffer;
  private int base;
  private int[] from = new int[4];
  private int[] to = new int[4];
  private int[] at;
  private int count;
  private int sealedFrom;
  private int sealedBytes;

  /** Order of sealing, for reads (the newest wins) and commits. */
  long serial;

  /** A newer chunk of the same place was stored and left memory first: this one must not answer. */
  boolean superseded;

  /** The block it becomes. */
  long version;

  int index;

  WriteChunk(long start) {
    this.start = start;
  }

  /** How a write into a chunk ended. */
  enum Taken {
    YES,
    /** No memory now. */
    NO_ROOM,
    /** Too many ranges: seal this chunk and write into a new one. */
    SCATTERED
  }

  /** Takes bytes that lie inside this chunk. */
  Taken write(long offset, MemorySegment data, long dataOffset, int length, WriteBuffers buffers) {
    int first = (int) (offset - start);
    if (count >= RANGES_MAX) {
      return Taken.SCATTERED;
    }
    if (!makeRoom(first, first + length, buffers)) {
      return Taken.NO_ROOM;
    }
    MemorySegment.copy(data, dataOffset, buffer.bytes, first - base, length);
    add(first, first + length);
    return Taken.YES;
  }

  private boolean makeRoom(int first, int end, WriteBuffers buffers) {
    if (buffer == null) {
      int smallBase = first & -4096;
      boolean continuesAFile = start > 0 && first == 0;
      boolean large = continuesAFile || end - smallBase > WriteBuffers.SMALL_BYTES;
      buffer = buffers.tryTake(large);
      base = large ? 0 : smallBase;
      return buffer != null;
    }
    if (first >= base && end - base <= buffer.bytes.byteSize()) {
      return true;
    }
    WriteBuffers.Buffer larger = buffers.tryTake(true);
    if (larger == null) {
      return false;
    }
    MemorySegment.copy(
        buffer.bytes, 0, larger.bytes, base, Math.min(buffer.bytes.byteSize(), BYTES - base));
    buffers.giveBack(buffer);
    buffer = larger;
    base = 0;
    return true;
  }

  private void add(int first, int end) {
    int low = 0;
    while (low < count && to[low] < first) {
      low++;
    }
    int high = low;
    int mergedFrom = first;
    int mergedTo = end;
    while (high < count && from[high] <= end) {
      mergedFrom = Math.min(mergedFrom, from[high]);
      mergedTo = Math.max(mergedTo, to[high]);
      high++;
    }
    replace(low, high, mergedFrom, mergedTo);
  }

  /** Puts one range in place of those from {@code low} to {@code high}. */
  private void replace(int low, int high, int first, int end) {
    int grown = count - (high - low) + 1;
    if (grown > from.length) {
      from = Arrays.copyOf(from, grown * 2);
      to = Arrays.copyOf(to, grown * 2);
    }
    System.arraycopy(from, high, from, low + 1, count - high);
    System.arraycopy(to, high, to, low + 1, count - high);
    from[low] = first;
    to[low] = end;
    count = grown;
  }

  boolean isFull() {
    return count == 1 && from[0] == 0 && to[0] == BYTES;
  }

  boolean isEmpty() {
    return count == 0;
  }

  /** File offset after the last byte. */
  long end() {
    return count == 0 ? start : start + to[count - 1];
  }

  boolean overlaps(long offset, long length) {
    for (int i = 0; i < count; i++) {
      if (start + from[i] < offset + length && offset < start + to[i]) {
        return true;
      }
    }
    return false;
  }

  /** Forgets what lies at or after the file's new end; only before sealing. */
  void cutAt(long size) {
    while (count > 0 && start + from[count - 1] >= size) {
      count--;
    }
    if (count > 0 && start + to[count - 1] > size) {
      to[count - 1] = (int) (size - start);
    }
  }

  /** Moves the ranges together, so that they make one block of {@link #bytes}. */
  void seal() {
    at = new int[count];
    sealedFrom = count == 1 ? from[0] - base : 0;
    int used = sealedFrom;
    for (int i = 0; i < count; i++) {
      int length = to[i] - from[i];
      if (from[i] - base != used) {
        MemorySegment.copy(buffer.bytes, from[i] - base, buffer.bytes, used, length);
      }
      at[i] = used;
      used += length;
    }
    sealedBytes = used - sealedFrom;
  }

  /** The block's bytes, once sealed. */
  MemorySegment bytes() {
    return buffer.bytes.asSlice(sealedFrom, sealedBytes);
  }

  /** Where the ranges lie in the stream, once sealed. */
  void putExtents(ExtentMap extents) {
    long block = (long) index * BYTES;
    for (int i = 0; i < count; i++) {
      extents.put(
          Extent.newBuilder()
              .setFileOffset(start + from[i])
              .setLength(to[i] - from[i])
              .setVersion(version)
              .setStreamOffset(block + at[i] - sealedFrom)
              .build());
    }
  }

  /** Copies what this chunk has of the holes of a read, and takes it off them. */
  void fill(ReadHoles holes, MemorySegment target) {
    for (int i = 0; i < count; i++) {
      int place = at == null ? from[i] - base : at[i];
      holes.fill(start + from[i], to[i] - from[i], buffer.bytes, place, target);
    }
  }

  void giveBack(WriteBuffers buffers) {
    if (buffer != null) {
      buffers.giveBack(buffer);
      buffer = null;
    }
  }
}
