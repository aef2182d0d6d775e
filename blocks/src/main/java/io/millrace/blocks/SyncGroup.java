package io.millrace.blocks;

import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Makes what was written durable. Callers that come while one syncs share the next one: the first
 * of them syncs for all. Order: bytes, then names, then the index's log; so a row that survives
 * power loss after a sync finds its bytes.
 */
final class SyncGroup {
  /** More large files than this are not remembered: their writer syncs. */
  private static final int LARGE_MAX = 1024;

  private final SegmentFiles segments;
  private final LargeFiles large;
  private final BlockIndex index;
  private final ReentrantLock syncing = new ReentrantLock();
  private final AtomicLong asked = new AtomicLong();
  private final AtomicLong rounds = new AtomicLong();
  private long covered;

  /** What a process killed before this one had written and not synced. */
  private boolean inherited = true;

  private Set<Long> dirtySegments = new HashSet<>();
  private Set<Long> dirtyLarge = new HashSet<>();

  SyncGroup(SegmentFiles segments, LargeFiles large, BlockIndex index) {
    this.segments = segments;
    this.large = large;
    this.index = index;
  }

  synchronized void wroteSegment(long segment) {
    dirtySegments.add(segment);
  }

  void wroteLarge(long file) {
    boolean full;
    synchronized (this) {
      dirtyLarge.add(file);
      full = dirtyLarge.size() > LARGE_MAX;
    }
    if (full) {
      sync();
    }
  }

  /** How many times the disk was synced. */
  long rounds() {
    return rounds.get();
  }

  void sync() {
    long ticket = asked.incrementAndGet();
    syncing.lock();
    try {
      if (covered < ticket) {
        long upTo = asked.get();
        syncNow();
        covered = upTo;
      }
    } finally {
      syncing.unlock();
    }
  }

  private void syncNow() {
    Set<Long> segmentNumbers = takeSegments();
    Set<Long> largeNumbers = takeLarge();
    boolean done = false;
    try {
      if (inherited) {
        NativeFile.syncFileSystem(segments.directory());
        inherited = false;
      }
      var directories = new HashSet<Path>();
      for (long segment : segmentNumbers) {
        segments.sync(segment);
      }
      segments.syncNames();
      for (long file : largeNumbers) {
        large.sync(file);
        directories.add(large.subdirectory(file));
      }
      directories.forEach(NativeFile::syncDirectory);
      index.syncLog();
      rounds.incrementAndGet();
      done = true;
    } finally {
      if (!done) {
        putBack(segmentNumbers, largeNumbers);
      }
    }
  }

  private synchronized Set<Long> takeSegments() {
    Set<Long> taken = dirtySegments;
    dirtySegments = new HashSet<>();
    return taken;
  }

  private synchronized Set<Long> takeLarge() {
    Set<Long> taken = dirtyLarge;
    dirtyLarge = new HashSet<>();
    return taken;
  }

  private synchronized void putBack(Set<Long> segmentNumbers, Set<Long> largeNumbers) {
    dirtySegments.addAll(segmentNumbers);
    dirtyLarge.addAll(largeNumbers);
  }
}
