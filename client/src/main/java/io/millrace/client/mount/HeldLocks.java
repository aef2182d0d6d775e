package io.millrace.client.mount;

import io.millrace.core.lock.LockRange;
import io.millrace.core.lock.OwnedRanges;
import io.millrace.proto.LockRecord;
import io.millrace.proto.LockType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What this mount holds at the node, to claim it again after the node's restart: a lock is noted
 * when the node grants it, and forgotten when its unlock leaves. Any thread. Bounded by the node's
 * limit for one client.
 */
final class HeldLocks {
  /** An owner's locks of one file. */
  record Holder(long ino, boolean whole, long owner) {}

  private static final class Ranges {
    private final OwnedRanges held = new OwnedRanges();
    private final OwnedRanges lost = new OwnedRanges();

    boolean isEmpty() {
      return held.isEmpty() && lost.isEmpty();
    }
  }

  private final Map<Holder, Ranges> holders = new HashMap<>();
  private volatile boolean any;

  synchronized void granted(Holder holder, LockRange range) {
    holders.computeIfAbsent(holder, k -> new Ranges()).held.set(range);
    any = true;
  }

  synchronized void unlocked(Holder holder, long start, long end) {
    Ranges ranges = holders.get(holder);
    if (ranges != null) {
      ranges.held.clear(start, end);
      ranges.lost.clear(start, end);
      if (ranges.isEmpty()) {
        holders.remove(holder);
        any = !holders.isEmpty();
      }
    }
  }

  /** The node has it no more, and its holder does not know. */
  synchronized void lost(Holder holder, LockRange range) {
    Ranges ranges = holders.get(holder);
    if (ranges != null && ranges.held.overlap(range.start(), range.end()) != null) {
      ranges.held.clear(range.start(), range.end());
      ranges.lost.set(range);
    }
  }

  /** Also what was lost. */
  boolean holds(Holder holder) {
    return any && find(holder);
  }

  private synchronized boolean find(Holder holder) {
    return holders.containsKey(holder);
  }

  synchronized boolean isLost(Holder holder) {
    Ranges ranges = holders.get(holder);
    return ranges != null && !ranges.lost.isEmpty();
  }

  synchronized List<LockRecord> all() {
    var all = new ArrayList<LockRecord>();
    holders.forEach((holder, ranges) -> ranges.held.all().forEach(r -> all.add(record(holder, r))));
    return all;
  }

  static LockRecord record(Holder holder, LockRange range) {
    return LockRecord.newBuilder()
        .setIno(holder.ino)
        .setOwner(holder.owner)
        .setWholeFile(holder.whole)
        .setType(range.exclusive() ? LockType.LOCK_EXCLUSIVE : LockType.LOCK_SHARED)
        .setStart(range.start())
        .setEnd(range.end())
        .setPid(range.pid())
        .build();
  }
}
