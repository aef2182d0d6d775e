package io.millrace.blocks;

import io.millrace.core.api.BlockId;
import io.millrace.core.api.BlockStore.Kind;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.core.api.Pinned;
import io.millrace.core.cache.Admission;
import io.millrace.core.cache.Buffer;
import io.millrace.core.cache.BufferPool;
import io.millrace.core.cache.CachedBlock;
import io.millrace.core.cache.OffHeapCache;
import io.millrace.core.cache.Reservation;
import io.millrace.core.cache.SharedPin;
import io.millrace.core.cache.Use;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.IntSupplier;

/**
 * Reads blocks that L1 doesn't have. Bytes go from the disk straight into L1's memory where L1
 * admits the block, else into a buffer; readers of one block share one read. Of a large block that
 * is not admitted only the pieces asked for are read. Safe for many threads.
 */
final class BlockReader {
  private static final int TRIES = 8;

  private final Placement placement;
  private final OffHeapCache l1;
  private final BufferPool buffers;
  private final StoreCounters counters;
  private final IntSupplier hour;
  private final ConcurrentHashMap<BlockId, Flight> flights = new ConcurrentHashMap<>();

  BlockReader(
      Placement placement,
      OffHeapCache l1,
      BufferPool buffers,
      StoreCounters counters,
      IntSupplier hour) {
    this.placement = placement;
    this.l1 = l1;
    this.buffers = buffers;
    this.counters = counters;
    this.hour = hour;
  }

  /** Bytes read, and the row they were read by. */
  record Found(Pinned bytes, IndexRow row) {}

  /**
   * @param wanted someone asked for the block as a whole, or started to read it
   */
  Optional<Found> read(BlockId id, int offset, int length, boolean wanted) {
    for (int tries = 0; tries < TRIES; tries++) {
      Placement.Found found = placement.find(id);
      if (found == null) {
        counters.misses.increment();
        return Optional.empty();
      }
      checkRange(id, found.row(), offset, length);
      Pinned bytes = read(id, found, offset, length, wanted);
      if (bytes != null) {
        counters.diskHits.increment();
        return Optional.of(new Found(bytes, found.row()));
      }
      if (isDamaged(id, found)) {
        return dropDamaged(id, found);
      }
    }
    throw new FsException(Errno.EIO, "block moves faster than it can be read", "block", id);
  }

  static void checkRange(BlockId id, IndexRow row, int offset, int length) {
    checkRange(id, row.length(), offset, length);
  }

  static void checkRange(BlockId id, long blockLength, int offset, int length) {
    if (offset < 0 || length < 0 || (long) offset + length > blockLength) {
      throw new FsException(
          Errno.EINVAL,
          "range ends after the block",
          "block",
          id,
          "offset",
          offset,
          "length",
          length,
          "blockLength",
          blockLength);
    }
  }

  /** The range, or null: gone or damaged. */
  private Pinned read(BlockId id, Placement.Found found, int offset, int length, boolean wanted) {
    IndexRow row = found.row();
    boolean all = !row.large() || length == row.length();
    if (all || wanted) {
      SharedPin whole = shared(id, found, all);
      if (whole != null) {
        return whole.part(offset, length);
      }
    }
    return all ? null : range(found, offset, length);
  }

  /**
   * What another's read did not bring is read here: it may have looked where the block was before
   * it moved, wanted less of it, or been interrupted. Only a read of one's own place can say that
   * the block is damaged there.
   */
  private SharedPin shared(BlockId id, Placement.Found found, boolean all) {
    var mine = new Flight();
    Flight first = flights.putIfAbsent(id, mine);
    if (first != null) {
      SharedPin pin = first.join() ? first.await() : null;
      return pin == null ? load(id, found, all) : pin;
    }
    SharedPin pin = null;
    try {
      pin = cachedMeanwhile(id);
      pin = pin == null ? load(id, found, all) : pin;
      return pin;
    } finally {
      flights.remove(id, mine);
      mine.finish(pin);
    }
  }

  /** A flight that ended between our look into L1 and ours. */
  private CachedBlock cachedMeanwhile(BlockId id) {
    return l1.pin(id.ino(), id.version(), id.index(), Use.UNCOUNTED);
  }

  /**
   * @param all whether it is read even where L1 has no room
   */
  private SharedPin load(BlockId id, Placement.Found found, boolean all) {
    int length = found.row().length();
    Optional<Reservation> room =
        l1.reserve(id.ino(), id.version(), id.index(), length, Admission.ASKED_FOR);
    if (room.isPresent()) {
      return loadCached(found, room.get());
    }
    return all ? loadBuffer(found, 0, length) : null;
  }

  /** Used already this hour: nothing is left to write down when it is hit. */
  private SharedPin loadCached(Placement.Found found, Reservation room) {
    boolean good = false;
    try {
      good = fill(found, 0, found.row().length(), room.bytes()) == 0;
    } finally {
      if (!good) {
        room.abandon();
      }
    }
    if (!good) {
      return null;
    }
    CachedBlock block = room.publish();
    if (found.row().usedHour() == hour.getAsInt()) {
      block.mark(hour.getAsInt());
    }
    return block;
  }

  private Pinned range(Placement.Found found, int offset, int length) {
    int from = offset / LargeTrailer.PIECE_BYTES * LargeTrailer.PIECE_BYTES;
    int pieces = (offset + length - from + LargeTrailer.PIECE_BYTES - 1) / LargeTrailer.PIECE_BYTES;
    int bytes = Math.min(pieces * LargeTrailer.PIECE_BYTES, found.row().length() - from);
    Buffer buffer = loadBuffer(found, from, bytes);
    return buffer == null ? null : buffer.part(offset - from, length);
  }

  private Buffer loadBuffer(Placement.Found found, int offset, int length) {
    Buffer buffer = buffers.take(length);
    boolean good = false;
    try {
      good = fill(found, offset, length, buffer.bytes()) == 0;
    } finally {
      if (!good) {
        buffer.close();
      }
    }
    return good ? buffer : null;
  }

  private int fill(Placement.Found found, int offset, int length, MemorySegment target) {
    counters.diskReads.increment();
    return found.directory().read(found.row(), offset, length, bytes -> target.asSlice(0, bytes));
  }

  /** Whether it still is where we read it: else it was moved or dropped meanwhile. */
  private static boolean isDamaged(BlockId id, Placement.Found found) {
    IndexRow now = found.directory().row(id);
    return now != null && now.samePlace(found.row());
  }

  private Optional<Found> dropDamaged(BlockId id, Placement.Found found) {
    counters.damaged.increment();
    if (found.row().kind() == Kind.DIRTY || !found.directory().drop(id, found.row(), true)) {
      throw new FsException(
          Errno.EIO,
          "a block that exists nowhere else is damaged",
          "block",
          id,
          "directory",
          found.directory().path());
    }
    counters.misses.increment();
    return Optional.empty();
  }
}
