package io.millrace.blocks;

import io.millrace.core.api.BlockId;
import io.millrace.core.api.BlockStore.Kind;
import java.util.Comparator;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.IntSupplier;

/**
 * Makes room in one directory. Clean blocks go, dirty ones never. Looks at the next rows after a
 * hand that goes round the index, and takes the cheapest: a large block alone, a small one with its
 * whole segment (dirty neighbours are moved). One thread reclaims at a time.
 */
final class Reclaimer {
  private static final int LOOK_AT = 64;
  private static final int ROUNDS = 64;

  private final DiskDirectory directory;
  private final DiskPopularity popularity;
  private final IntSupplier hour;
  private final SegmentCleaner cleaner;
  private final ReentrantLock reclaiming = new ReentrantLock();
  private byte[] hand = new byte[0];

  Reclaimer(DiskDirectory directory, DiskPopularity popularity, IntSupplier hour) {
    this.directory = directory;
    this.popularity = popularity;
    this.hour = hour;
    this.cleaner = new SegmentCleaner(directory, moved -> {});
  }

  /**
   * Takes room, dropping clean blocks that cost less than {@code worth}.
   *
   * @return false: no room
   */
  boolean take(long bytes, int worth) {
    if (directory.space().take(bytes)) {
      return true;
    }
    reclaiming.lock();
    try {
      for (int round = 0; round < ROUNDS; round++) {
        if (directory.space().take(bytes)) {
          return true;
        }
        if (!free(worth)) {
          return false;
        }
      }
      return directory.space().take(bytes);
    } finally {
      reclaiming.unlock();
    }
  }

  /** Frees something, whatever the count says: the file system is full before its capacity. */
  boolean freeSome(int worth) {
    reclaiming.lock();
    try {
      return free(worth);
    } finally {
      reclaiming.unlock();
    }
  }

  private boolean free(int worth) {
    if (removeEmptySegment() || dropCheapest(worth)) {
      return true;
    }
    if (worth != DiskPopularity.ANY) {
      return false;
    }
    directory.sealAll();
    return removeEmptySegment() || dropCheapest(worth) || compactDeadest();
  }

  private boolean removeEmptySegment() {
    for (Segment segment : directory.segments().all()) {
      if (directory.remove(segment)) {
        return true;
      }
    }
    return false;
  }

  private boolean compactDeadest() {
    return directory.segments().all().stream()
        .filter(segment -> segment.dead() > 0)
        .sorted(Comparator.comparingLong(Segment::dead).reversed())
        .anyMatch(segment -> cleaner.clean(segment, false));
  }

  /**
   * Stops at the first stretch of rows that has a victim. For a block that may push out anything
   * goes round once; for others looks at one stretch only, since most of them are refused.
   */
  private boolean dropCheapest(int worth) {
    if (directory.totals().cleanBytes == 0) {
      return false;
    }
    var search = new Search(worth);
    boolean wrapped = hand.length == 0;
    while (true) {
      search.begin();
      directory.index().scan(hand, search::look);
      boolean end = search.next == null;
      hand = end ? new byte[0] : search.next;
      if (search.victim != null && drop(search)) {
        return true;
      }
      if ((end && wrapped) || worth != DiskPopularity.ANY) {
        return false;
      }
      wrapped |= end;
    }
  }

  private boolean drop(Search search) {
    IndexRow row = search.victimRow;
    BlockId victim = search.victim;
    search.forget();
    if (row.large()) {
      return directory.drop(victim, row, true);
    }
    Segment segment = directory.segments().segment(row.file());
    return segment != null && cleaner.clean(segment, true);
  }

  /** The cheapest clean block of some rows. */
  private final class Search {
    private final int worth;
    private final int now = hour.getAsInt();
    private int limit;
    private int seen;
    private byte[] next;
    private BlockId victim;
    private IndexRow victimRow;

    Search(int worth) {
      this.worth = worth;
      this.limit = worth;
    }

    void begin() {
      seen = 0;
      next = null;
    }

    void forget() {
      victim = null;
      limit = worth;
    }

    boolean look(byte[] key, byte[] value) {
      if (seen == LOOK_AT) {
        next = key;
        return false;
      }
      seen++;
      IndexRow row = IndexRow.decode(value);
      if (row.kind() == Kind.CLEAN && (row.large() || removable(row))) {
        BlockId id = IndexRow.id(key);
        int cost = popularity.cost(id, row, now);
        if (cost < limit) {
          limit = cost;
          victim = id;
          victimRow = row;
        }
      }
      return true;
    }

    private boolean removable(IndexRow row) {
      Segment segment = directory.segments().segment(row.file());
      return segment != null && segment.cleanable() && directory.segments().sealed(segment);
    }
  }
}
