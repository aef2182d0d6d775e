package io.millrace.blocks;

import io.millrace.core.api.BlockId;
import io.millrace.core.api.BlockStore.Draft;
import io.millrace.core.api.BlockStore.Kind;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.core.api.Pinned;
import io.millrace.core.cache.CachedBlock;
import io.millrace.core.cache.Reservation;
import java.lang.foreign.MemorySegment;

/**
 * A block being filled, in L1's memory where it was admitted, else in a buffer. Invariant: memory
 * and disk room are given away (to the cache, to the caller, to the disk) or given back exactly
 * once; {@code ended} says that it happened.
 */
final class DiskDraft implements Draft {
  private final BlockWriter writer;
  private final BlockId id;
  private final int length;
  private final DiskDirectory room;
  private final Reservation cached;
  private final Pinned buffer;
  private boolean ended;
  private boolean roomUsed;

  /**
   * @param room where disk room was taken; null for a clean block
   * @param cached memory in L1, or null
   * @param buffer memory outside of it; not used where L1 gave some
   */
  DiskDraft(
      BlockWriter writer,
      BlockId id,
      int length,
      DiskDirectory room,
      Reservation cached,
      Pinned buffer) {
    this.writer = writer;
    this.id = id;
    this.length = length;
    this.room = room;
    this.cached = cached;
    this.buffer = buffer;
  }

  @Override
  public MemorySegment bytes() {
    return cached == null ? buffer.bytes() : cached.bytes();
  }

  @Override
  public Pinned commit(int crc32c) {
    PieceSums sums = PieceSums.of(bytes());
    if (sums.whole() != crc32c) {
      throw new FsException(Errno.EIO, "block was damaged on its way", "block", id);
    }
    return store(sums);
  }

  @Override
  public Pinned commit() {
    return store(PieceSums.of(bytes()));
  }

  @Override
  public void close() {
    if (ended) {
      return;
    }
    ended = true;
    if (room != null && !roomUsed) {
      writer.giveRoom(room, length);
    }
    if (cached != null) {
      cached.abandon();
    } else {
      buffer.close();
    }
  }

  private Pinned store(PieceSums sums) {
    if (ended) {
      throw new IllegalStateException("draft used twice");
    }
    int crc32c = sums.whole();
    Kind kind = room == null ? Kind.CLEAN : Kind.DIRTY;
    var header = new RecordHeader(id, kind, length, crc32c);
    IndexRow old;
    if (room == null) {
      old = writer.storeClean(header, sums, bytes());
    } else {
      roomUsed = true;
      old = writer.storeDirty(room, header, sums, bytes());
    }
    if (old != null && (old.crc32c() != crc32c || old.length() != length)) {
      throw new FsException(Errno.EIO, "block id used for other bytes before", "block", id);
    }
    ended = true;
    return cached == null ? buffer : published(old == null);
  }

  /** A block stored just now counts as used this hour: nothing is left to write down. */
  private CachedBlock published(boolean stored) {
    CachedBlock block = cached.publish();
    if (stored) {
      block.mark(writer.hour());
    }
    return block;
  }
}
