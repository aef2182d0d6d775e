package io.millrace.client;

import java.util.HashMap;
import java.util.Map;

/**
 * Which inodes have bytes that were acknowledged to a program and are not in the namespace yet, so
 * that nobody is told of success when the process that had them dies (H17). Any thread.
 */
public final class UnsentData {
  /** Bytes that no command carries. */
  private static final long HERE = -1;

  private static final int INO = 0;
  private static final int CARRIER = 1;
  static final int COLUMNS = 2;

  private final SlotTable rows;
  private final Runnable overflow;

  /**
   * @param overflow an inode could not be noted
   */
  UnsentData(SlotTable rows, Runnable overflow) {
    this.rows = rows;
    this.overflow = overflow;
  }

  /** The inode has bytes; gives its row. */
  int begin(long ino) {
    int row = rows.take(ino, HERE);
    if (row == SlotTable.NONE) {
      overflow.run();
    }
    return row;
  }

  /** More bytes, that no command carries. */
  void more(int row) {
    if (row != SlotTable.NONE && rows.get(row, CARRIER) != HERE) {
      rows.set(row, CARRIER, HERE);
    }
  }

  /** All bytes are in the command with this number. */
  void carriedBy(int row, long sequence) {
    if (row != SlotTable.NONE) {
      rows.set(row, CARRIER, sequence);
    }
  }

  void end(int row) {
    if (row != SlotTable.NONE) {
      rows.free(row);
    }
  }

  /**
   * What a process before this one left, by inode: the number of the command that carries all of
   * it, or 0 where it is lost.
   */
  public Map<Long, Long> left() {
    var left = new HashMap<Long, Long>();
    rows.forEach(
        row ->
            left.merge(
                rows.get(row, INO),
                Math.max(0, rows.get(row, CARRIER)),
                (a, b) -> a.equals(b) ? a : 0L));
    return left;
  }

  /** Once it is known elsewhere who has to be told. */
  public void forgetLeft() {
    rows.forEach(rows::free);
  }
}
