package io.millrace.client;

/**
 * The handles that are open, as the kernel names them, for the process that takes the mount over
 * (H17). Any thread.
 */
public final class HandleRows {
  private static final int NUMBER = 0;
  private static final int INO = 1;
  private static final int KEY = 2;
  private static final int FLAGS = 3;
  static final int COLUMNS = 4;

  private static final long WRITES = 1;
  private static final long LOST = 2;

  /** A handle that another process opened. */
  public record Left(int row, long number, long ino, long key, boolean writes, boolean lost) {}

  /** Gets each. */
  public interface Visitor {
    void handle(Left left);
  }

  private final SlotTable rows;
  private final Runnable overflow;

  HandleRows(SlotTable rows, Runnable overflow) {
    this.rows = rows;
    this.overflow = overflow;
  }

  /**
   * Before the kernel learns of the handle.
   *
   * @param key of the request that opens it
   */
  public int add(long number, long ino, long key, boolean writes) {
    int row = rows.take(number, ino, key, writes ? WRITES : 0);
    if (row == SlotTable.NONE) {
      overflow.run();
    }
    return row;
  }

  public void remove(int row) {
    if (row != SlotTable.NONE) {
      rows.free(row);
    }
  }

  /** Data written to the file was lost, and the handle's user is to be told; or has been. */
  public void setLost(int row, boolean lost) {
    if (row != SlotTable.NONE) {
      long flags = rows.get(row, FLAGS);
      rows.set(row, FLAGS, lost ? flags | LOST : flags & ~LOST);
    }
  }

  public void forEach(Visitor visitor) {
    rows.forEach(
        row -> {
          long flags = rows.get(row, FLAGS);
          visitor.handle(
              new Left(
                  row,
                  rows.get(row, NUMBER),
                  rows.get(row, INO),
                  rows.get(row, KEY),
                  (flags & WRITES) != 0,
                  (flags & LOST) != 0));
        });
  }
}
