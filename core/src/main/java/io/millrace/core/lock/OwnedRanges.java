package io.millrace.core.lock;

import java.util.Collection;
import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;

/**
 * What one owner holds of one file. Not thread-safe. Invariant: the ranges are disjoint, and two
 * that touch differ in their kind, as in the kernel: what is locked anew replaces what was, an
 * unlock in the middle splits.
 */
public final class OwnedRanges {
  private final TreeMap<Long, LockRange> byStart = new TreeMap<>();

  public boolean isEmpty() {
    return byStart.isEmpty();
  }

  public int size() {
    return byStart.size();
  }

  /** In order; a view. */
  public Collection<LockRange> all() {
    return Collections.unmodifiableCollection(byStart.values());
  }

  public void set(LockRange range) {
    clear(range.start(), range.end());
    long start = range.start();
    long end = range.end();
    Map.Entry<Long, LockRange> before = byStart.lowerEntry(start);
    if (before != null && before.getValue().end() == start - 1 && alike(before, range)) {
      start = before.getKey();
      byStart.remove(start);
    }
    LockRange after = end == LockRange.TO_END ? null : byStart.get(end + 1);
    if (after != null && after.exclusive() == range.exclusive()) {
      end = after.end();
      byStart.remove(after.start());
    }
    put(range.between(start, end));
  }

  private static boolean alike(Map.Entry<Long, LockRange> entry, LockRange range) {
    return entry.getValue().exclusive() == range.exclusive();
  }

  public void clear(long start, long end) {
    for (LockRange at = firstFrom(start); at != null && at.start() <= end; at = firstFrom(start)) {
      byStart.remove(at.start());
      if (at.start() < start) {
        put(at.between(at.start(), start - 1));
      }
      if (at.end() > end) {
        put(at.between(end + 1, at.end()));
        return;
      }
    }
  }

  /** Whether clearing the range would make two of one. */
  public boolean splits(long start, long end) {
    LockRange at = firstFrom(start);
    return at != null && at.start() < start && at.end() > end;
  }

  /** The first range that {@code wanted} of another owner conflicts with; or null. */
  public LockRange conflict(LockRange wanted) {
    LockRange at = firstFrom(wanted.start());
    while (at != null && at.start() <= wanted.end()) {
      if (at.conflicts(wanted)) {
        return at;
      }
      at = next(at);
    }
    return null;
  }

  /** The first range that touches these bytes; or null. */
  public LockRange overlap(long start, long end) {
    LockRange at = firstFrom(start);
    return at != null && at.start() <= end ? at : null;
  }

  /** Whether all bytes of {@code wanted} are held in at least its kind. */
  public boolean covers(LockRange wanted) {
    long from = wanted.start();
    LockRange at = firstFrom(from);
    while (at != null && at.start() <= from && (at.exclusive() || !wanted.exclusive())) {
      if (at.end() >= wanted.end()) {
        return true;
      }
      from = at.end() + 1;
      at = next(at);
    }
    return false;
  }

  /** The range that holds this byte, or the next one after it; or null. */
  private LockRange firstFrom(long start) {
    Map.Entry<Long, LockRange> at = byStart.floorEntry(start);
    if (at != null && at.getValue().end() >= start) {
      return at.getValue();
    }
    Map.Entry<Long, LockRange> after = byStart.higherEntry(start);
    return after == null ? null : after.getValue();
  }

  private LockRange next(LockRange range) {
    Map.Entry<Long, LockRange> after = byStart.higherEntry(range.start());
    return after == null ? null : after.getValue();
  }

  private void put(LockRange range) {
    byStart.put(range.start(), range);
  }
}
