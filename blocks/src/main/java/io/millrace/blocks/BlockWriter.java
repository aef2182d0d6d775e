package io.millrace.blocks;

import io.millrace.core.api.BlockId;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import java.lang.System.Logger.Level;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntSupplier;

/**
 * Finds disk room for blocks and stores them. Dirty blocks take their room when they are begun and
 * push out any clean block; clean ones ask when they are complete, and only push out what is worth
 * less. Safe for many threads.
 */
final class BlockWriter {
  private static final System.Logger LOG = System.getLogger(BlockWriter.class.getName());
  private static final int FULL_TRIES = 32;

  private final Placement placement;
  private final DiskPopularity popularity;
  private final StoreCounters counters;
  private final IntSupplier hour;
  private final Map<DiskDirectory, Reclaimer> reclaimers = new HashMap<>();

  BlockWriter(
      Placement placement, DiskPopularity popularity, StoreCounters counters, IntSupplier hour) {
    this.placement = placement;
    this.popularity = popularity;
    this.counters = counters;
    this.hour = hour;
    for (DiskDirectory directory : placement.all()) {
      reclaimers.put(directory, new Reclaimer(directory, popularity, hour));
    }
  }

  /** Takes room for a dirty block. */
  DiskDirectory roomForDirty(BlockId id, int length) {
    for (DiskDirectory directory : placement.order(id)) {
      if (reclaimer(directory).take(directory.roomFor(length), DiskPopularity.ANY)) {
        return directory;
      }
    }
    throw noSpace(length);
  }

  void giveRoom(DiskDirectory directory, int length) {
    directory.space().give(directory.roomFor(length));
  }

  /**
   * Stores a dirty block in the room taken for it (given back where that fails).
   *
   * @return the row that was there already, or null
   */
  IndexRow storeDirty(
      DiskDirectory directory, RecordHeader header, PieceSums sums, MemorySegment bytes) {
    Placement.Found found = placement.find(header.id());
    if (found != null) {
      found.directory().stage().settle(header.id());
      giveRoom(directory, header.length());
      return found.row();
    }
    for (int tries = 0; ; tries++) {
      try {
        return directory.store(header, sums, bytes, hour.getAsInt());
      } catch (FsException failure) {
        if (failure.errno() != Errno.ENOSPC
            || tries == FULL_TRIES
            || !reclaimer(directory).freeSome(DiskPopularity.ANY)
            || !reclaimer(directory).take(directory.roomFor(header.length()), DiskPopularity.ANY)) {
          throw failure;
        }
      }
    }
  }

  /**
   * Stores a clean block if it finds room; else, and where the disk fails, it is not kept.
   *
   * @return the row that was there already, or null
   */
  IndexRow storeClean(RecordHeader header, PieceSums sums, MemorySegment bytes) {
    Placement.Found found = placement.find(header.id());
    if (found != null) {
      return found.row();
    }
    int worth = popularity.worth(header.id());
    DiskDirectory directory = roomForClean(header, worth);
    if (directory != null && directory.stage().takeDiskFull()) {
      reclaimer(directory).freeSome(worth);
    }
    if (directory != null) {
      try {
        return directory.store(header, sums, bytes, hour.getAsInt());
      } catch (FsException failure) {
        LOG.log(Level.WARNING, "a clean block can't be kept", failure);
        if (failure.errno() == Errno.ENOSPC) {
          reclaimer(directory).freeSome(worth);
        }
      }
    }
    counters.notKept.increment();
    return null;
  }

  private DiskDirectory roomForClean(RecordHeader header, int worth) {
    List<DiskDirectory> order = placement.order(header.id());
    for (DiskDirectory directory : order) {
      if (directory.space().take(directory.roomFor(header.length()))) {
        return directory;
      }
    }
    DiskDirectory first = order.getFirst();
    return reclaimer(first).take(first.roomFor(header.length()), worth) ? first : null;
  }

  int hour() {
    return hour.getAsInt();
  }

  private Reclaimer reclaimer(DiskDirectory directory) {
    return reclaimers.get(directory);
  }

  private FsException noSpace(int length) {
    long capacity = 0;
    long dirty = 0;
    for (DiskDirectory directory : placement.all()) {
      capacity += directory.space().capacityBytes();
      dirty += directory.totals().dirtyBytes;
    }
    return new FsException(
        Errno.ENOSPC,
        "block store is full of data that the bucket does not have yet",
        "bytes",
        length,
        "capacityBytes",
        capacity,
        "dirtyBytes",
        dirty);
  }
}
