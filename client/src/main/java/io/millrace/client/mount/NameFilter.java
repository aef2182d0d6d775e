package io.millrace.client.mount;

import java.util.ArrayList;
import java.util.List;

/**
 * Which names a directory may have: says no only of names that were never added. Bloom filters,
 * each four times as large as the one before, so that a small directory takes little and one of a
 * million names three bytes a name. Not safe for threads.
 */
final class NameFilter {
  private static final int FIRST_NAMES = 4096;
  private static final int GROWTH = 4;
  private static final int BITS_PER_NAME = 16;
  private static final int PROBES = 5;
  private static final int NAMES_MAX = 1 << 20;

  private static final class Slice {
    final long[] bits;
    final int room;
    int names;

    Slice(int room) {
      this.room = room;
      this.bits = new long[room * BITS_PER_NAME / Long.SIZE];
    }

    boolean has(long hash) {
      for (int p = 0; p < PROBES; p++) {
        int bit = bit(hash, p);
        if ((bits[bit >>> 6] & 1L << bit) == 0) {
          return false;
        }
      }
      return true;
    }

    void add(long hash) {
      for (int p = 0; p < PROBES; p++) {
        int bit = bit(hash, p);
        bits[bit >>> 6] |= 1L << bit;
      }
      names++;
    }

    /** The number of bits is a power of two; the second half of the hash is made odd. */
    private int bit(long hash, int probe) {
      int step = (int) (hash >>> 32) | 1;
      return (int) hash + probe * step & bits.length * Long.SIZE - 1;
    }
  }

  private final List<Slice> slices = new ArrayList<>();
  private long bytes;

  NameFilter() {
    grow(FIRST_NAMES);
  }

  private void grow(int names) {
    var slice = new Slice(names);
    slices.add(slice);
    bytes += (long) slice.bits.length * Long.BYTES;
  }

  /** False: it was never added. */
  boolean mayHave(long hash) {
    for (Slice slice : slices) {
      if (slice.has(hash)) {
        return true;
      }
    }
    return false;
  }

  /** False where there is no room for another name: it is not added. */
  boolean add(long hash) {
    Slice last = slices.getLast();
    if (last.names == last.room) {
      if (last.room >= NAMES_MAX) {
        return false;
      }
      grow(last.room * GROWTH);
      last = slices.getLast();
    }
    last.add(hash);
    return true;
  }

  long bytes() {
    return bytes;
  }
}
