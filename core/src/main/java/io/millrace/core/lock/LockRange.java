package io.millrace.core.lock;

/**
 * Bytes of one file that are locked in one way.
 *
 * @param end the last byte, inclusive; {@link #TO_END} for the end of the file wherever it is
 * @param pid of the process that asked, in its client's terms
 */
public record LockRange(long start, long end, boolean exclusive, int pid) {
  public static final long TO_END = Long.MAX_VALUE;

  public LockRange {
    if (start < 0 || end < start) {
      throw new IllegalArgumentException("bad range: " + start + " to " + end);
    }
  }

  public boolean overlaps(long otherStart, long otherEnd) {
    return start <= otherEnd && otherStart <= end;
  }

  /** Whether two owners can't hold both. */
  public boolean conflicts(LockRange other) {
    return (exclusive || other.exclusive) && overlaps(other.start, other.end);
  }

  LockRange between(long newStart, long newEnd) {
    return new LockRange(newStart, newEnd, exclusive, pid);
  }
}
