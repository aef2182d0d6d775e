package io.millrace.core.cache;

import java.util.Arrays;

/**
 * Up to 4 MiB of a region, cut into pieces without a fixed raster. Guarded by the lock of the owner
 * of its {@link SlabSpace}. Invariants: pieces are sorted by start and don't overlap; no free run
 * is longer than {@link #runBound}.
 */
final class Slab {
  private static final int START_SHIFT = 16;
  private static final int UNITS_MASK = 0xffff;

  final long base;
  final int totalUnits;
  private Piece[] pieces = new Piece[4];
  private int[] spans = new int[4];
  private int count;
  private int runBound;
  int bucket = -1;
  Slab previous;
  Slab next;

  Slab(long base, int totalUnits) {
    this.base = base;
    this.totalUnits = totalUnits;
    this.runBound = totalUnits;
  }

  int runBound() {
    return runBound;
  }

  int count() {
    return count;
  }

  Piece piece(int index) {
    return pieces[index];
  }

  /** Places the piece in the first run that is long enough; false (and a true bound) if none is. */
  boolean place(Piece piece, int units) {
    int longest = 0;
    int from = 0;
    for (int i = 0; i <= count; i++) {
      int run = startOf(i) - from;
      if (run >= units) {
        piece.place(this, from, units);
        insert(i, piece);
        return true;
      }
      longest = Math.max(longest, run);
      from = i < count ? endOf(i) : totalUnits;
    }
    runBound = longest;
    return false;
  }

  void remove(Piece piece) {
    int index = indexOf(piece.startUnit);
    assert index < count && pieces[index] == piece;
    int moved = count - index - 1;
    System.arraycopy(pieces, index + 1, pieces, index, moved);
    System.arraycopy(spans, index + 1, spans, index, moved);
    pieces[--count] = null;
    int run = startOf(index) - (index == 0 ? 0 : endOf(index - 1));
    runBound = Math.max(runBound, run);
  }

  /**
   * The smallest set of neighbours from {@code first} on (then before it) that makes a run of
   * {@code units} once they are gone.
   *
   * @return first index and end index in the upper and lower half
   */
  long window(int first, int units) {
    int low = first;
    int high = first;
    while (room(low, high) < units && high < count) {
      high++;
    }
    while (room(low, high) < units && low > 0) {
      low--;
    }
    return (long) low << 32 | high;
  }

  private int room(int low, int high) {
    return startOf(high) - (low == 0 ? 0 : endOf(low - 1));
  }

  private int startOf(int index) {
    return index == count ? totalUnits : spans[index] >>> START_SHIFT;
  }

  private int endOf(int index) {
    return (spans[index] >>> START_SHIFT) + (spans[index] & UNITS_MASK);
  }

  private int indexOf(int startUnit) {
    int low = 0;
    int high = count;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (spans[middle] >>> START_SHIFT < startUnit) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  private void insert(int index, Piece piece) {
    if (count == pieces.length) {
      pieces = Arrays.copyOf(pieces, count * 2);
      spans = Arrays.copyOf(spans, count * 2);
    }
    System.arraycopy(pieces, index, pieces, index + 1, count - index);
    System.arraycopy(spans, index, spans, index + 1, count - index);
    pieces[index] = piece;
    spans[index] = piece.startUnit << START_SHIFT | piece.units;
    count++;
  }
}
