package io.millrace.client;

/**
 * Gives out a session's sequence numbers such that no two that are unanswered lie further apart
 * than the window of replies the namespace keeps (H6): else a retry could find its first answer
 * gone. Not thread-safe: its owner's lock guards it.
 */
final class SequenceWindow {
  private final boolean[] answered;
  private long oldest;
  private long next;

  SequenceWindow(int size) {
    this(size, 1);
  }

  /**
   * @param first the lowest number that was never given out
   */
  SequenceWindow(int size, long first) {
    answered = new boolean[size];
    oldest = first;
    next = first;
  }

  /** The next number, or 0 while the oldest unanswered one is a window behind. */
  long take() {
    return next - oldest < answered.length ? next++ : 0;
  }

  void answered(long sequence) {
    answered[slot(sequence)] = true;
    while (oldest < next && answered[slot(oldest)]) {
      answered[slot(oldest)] = false;
      oldest++;
    }
  }

  private int slot(long sequence) {
    return (int) (sequence % answered.length);
  }
}
