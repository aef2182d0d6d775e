package io.millrace.blocks;

/**
 * What is known of one segment file. Guarded by its monitor. Invariant: {@code live <= end}; a
 * segment with writers is not removed, since rows that name it are still to come. Once sealed and
 * without live bytes it stays so.
 */
final class Segment {

  /** A record's place, and where the segment's records ended when it was reserved. */
  record Written(Segment segment, int offset, long end) {
    SegmentFiles.Place place() {
      return new SegmentFiles.Place(segment.number(), offset);
    }
  }

  private final long number;
  private long end;
  private long live;
  private int writers;
  private boolean unusable;
  private boolean cleaning;
  private boolean retired;
  private boolean movedOut;

  Segment(long number, long end, long live) {
    this.number = number;
    this.end = end;
    this.live = live;
  }

  long number() {
    return number;
  }

  synchronized long end() {
    return end;
  }

  synchronized long live() {
    return live;
  }

  synchronized long dead() {
    return unusable ? 0 : end - live;
  }

  synchronized Written reserve(long bytes) {
    var written = new Written(this, (int) end, end + bytes);
    end += bytes;
    writers++;
    return written;
  }

  /** A writer that takes its room later, by {@link #extend}. */
  synchronized void hold() {
    writers++;
  }

  /** Room for the one writer that this segment has. */
  synchronized void extend(long from, long bytes) {
    if (from != end) {
      throw new IllegalStateException("another writer in segment " + number);
    }
    end += bytes;
  }

  /** The write failed: its room is used again if nothing follows, else it is dead. */
  synchronized void undo(int offset, long bytes) {
    if (end == offset + bytes) {
      end = offset;
    }
    writers--;
  }

  /** The row of an appended record is in the index (or never will be). */
  synchronized void settled() {
    writers--;
  }

  synchronized void addLive(long bytes) {
    live += bytes;
  }

  synchronized boolean cleanable() {
    return writers == 0 && !unusable && !retired;
  }

  /** A block was moved from here: its new place is not durable yet, its old one may be. */
  synchronized void movedOut() {
    movedOut = true;
  }

  synchronized boolean wasMovedOutOf() {
    return movedOut;
  }

  synchronized boolean empty() {
    return !retired && writers == 0 && live == 0;
  }

  /** Ends its life if nothing lives in it; true for one caller only. */
  synchronized boolean retire() {
    if (!empty()) {
      return false;
    }
    retired = true;
    return true;
  }

  /**
   * One thread at a time empties a segment; a second one waits until the first is done.
   *
   * @return false: nothing is to be emptied here (any more)
   */
  synchronized boolean beginCleaning() {
    boolean interrupted = false;
    while (cleaning) {
      try {
        wait();
      } catch (InterruptedException interrupt) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    cleaning = cleanable();
    return cleaning;
  }

  synchronized void endCleaning() {
    cleaning = false;
    notifyAll();
  }

  synchronized boolean retired() {
    return retired;
  }

  /** It holds a damaged dirty block, which can't be moved: kept for who may repair it. */
  synchronized void keep() {
    unusable = true;
  }
}
