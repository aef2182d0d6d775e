package io.millrace.client;

/**
 * One file's place in {@link UnsentData}, while it has something that no process may forget. Under
 * the file's lock.
 */
final class UnsentNote {
  private final long ino;
  private final UnsentData data;
  private int row = SlotTable.NONE;
  private boolean noted;

  UnsentNote(long ino, UnsentData data) {
    this.ino = ino;
    this.data = data;
  }

  /** Before the program hears that its bytes were taken. */
  void written() {
    if (noted) {
      data.more(row);
    } else {
      noted = true;
      row = data.begin(ino);
    }
  }

  /** All that was written is in this command. */
  void carriedBy(long sequence) {
    if (noted) {
      data.carriedBy(row, sequence);
    }
  }

  /** After those who wait have heard what became of their bytes. */
  void end() {
    if (noted) {
      noted = false;
      data.end(row);
    }
  }
}
