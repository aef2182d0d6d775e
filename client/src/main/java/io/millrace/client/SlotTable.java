package io.millrace.client;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.function.IntConsumer;

/**
 * Rows of longs in memory that outlives the process; free rows are found without a search. Any
 * thread. Invariant: a row is in use exactly while its first column is not 0; that column is
 * written last, so that a process that dies in between leaves a free row.
 */
final class SlotTable {
  /** What {@link #take} gives where there is no room. */
  static final int NONE = -1;

  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
  private static final long END = 0;

  private final MemorySegment memory;
  private final int columns;
  private final int rows;
  private int[] free = new int[64];
  private int freeCount;

  /** Takes over what is there. */
  SlotTable(MemorySegment memory, int columns) {
    this.memory = memory;
    this.columns = columns;
    this.rows = (int) Math.max(0, memory.byteSize() / Long.BYTES / columns - 1);
    for (int row = 0; row < end(); row++) {
      if (get(row, 0) == 0) {
        addFree(row);
      }
    }
  }

  private int end() {
    return rows == 0 ? 0 : (int) memory.get(LONG, END);
  }

  synchronized int take(long... values) {
    int row;
    if (freeCount > 0) {
      row = free[--freeCount];
    } else if (end() < rows) {
      row = end();
      memory.set(LONG, at(row, 0), 0);
      memory.set(LONG, END, row + 1L);
    } else {
      return NONE;
    }
    for (int column = values.length - 1; column >= 0; column--) {
      set(row, column, values[column]);
    }
    return row;
  }

  synchronized void free(int row) {
    set(row, 0, 0);
    addFree(row);
  }

  private void addFree(int row) {
    if (freeCount == free.length) {
      free = Arrays.copyOf(free, freeCount * 2);
    }
    free[freeCount++] = row;
  }

  long get(int row, int column) {
    return (long) ORDERED.getVolatile(memory, at(row, column));
  }

  void set(int row, int column, long value) {
    ORDERED.setRelease(memory, at(row, column), value);
  }

  private static final java.lang.invoke.VarHandle ORDERED = LONG.varHandle();

  private long at(int row, int column) {
    return ((row + 1L) * columns + column) * Long.BYTES;
  }

  /** The rows in use; for the start of a process. */
  void forEach(IntConsumer visitor) {
    for (int row = 0; row < end(); row++) {
      if (get(row, 0) != 0) {
        visitor.accept(row);
      }
    }
  }
}
