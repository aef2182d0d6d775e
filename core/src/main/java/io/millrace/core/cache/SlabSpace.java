package io.millrace.core.cache;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.random.RandomGenerator;

/**
 * Cuts a {@link Region} into pieces of 4 KiB to 4 MiB. A piece takes a multiple of 1 KiB, so it
 * wastes less than 1 KiB (pieces below 4 KiB take 4 KiB, which bounds their number). Pieces lie
 * inside slabs of 4 MiB; slabs are listed by the length of their longest free run, and a piece goes
 * to the fullest one that may have room, which keeps others whole for large pieces.
 *
 * <p>Not thread-safe: guarded by its owner's lock.
 */
final class SlabSpace {
  static final int MAX_BYTES = 4 << 20;
  static final int MIN_BYTES = 4 << 10;
  private static final int UNIT_BYTES = 1 << 10;
  private static final int TRIES_PER_LIST = 16;

  private final Region region;
  private final Slab[] slabs;
  private final Slab[] byRun = new Slab[32 - Integer.numberOfLeadingZeros(MAX_BYTES / UNIT_BYTES)];
  private final long capacityBytes;
  private long usedBytes;
  private int pieceCount;

  /**
   * @param limitBytes at least 4 KiB; rounded down to whole KiB. The last slab may be a short one
   */
  @SuppressWarnings("MustBeClosedChecker") // the region owns the arena
  SlabSpace(long limitBytes) {
    if (limitBytes < MIN_BYTES) {
      throw new IllegalArgumentException("limit below 4 KiB: " + limitBytes);
    }
    capacityBytes = limitBytes / UNIT_BYTES * UNIT_BYTES;
    slabs = new Slab[Math.toIntExact((capacityBytes + MAX_BYTES - 1) / MAX_BYTES)];
    region = new Region(capacityBytes, Arena.ofShared());
    for (int i = slabs.length - 1; i >= 0; i--) {
      long base = (long) i * MAX_BYTES;
      slabs[i] = new Slab(base, (int) Math.min(MAX_BYTES, capacityBytes - base) / UNIT_BYTES);
      list(slabs[i]);
    }
  }

  long capacityBytes() {
    return capacityBytes;
  }

  long usedBytes() {
    return usedBytes;
  }

  int pieceCount() {
    return pieceCount;
  }

  int largestBytes() {
    return (int) Math.min(MAX_BYTES, capacityBytes);
  }

  void closeRegion() {
    region.close();
  }

  static int units(int length) {
    return (Math.max(length, MIN_BYTES) + UNIT_BYTES - 1) / UNIT_BYTES;
  }

  /** Gives the piece {@code length} bytes of its own; false where no free run is long enough. */
  boolean place(Piece piece, int length) {
    int units = units(length);
    for (int list = bucketOf(units); list < byRun.length; list++) {
      Slab slab = byRun[list];
      for (int tries = 0; slab != null && tries < TRIES_PER_LIST; tries++) {
        Slab following = slab.next;
        if (slab.runBound() >= units && placeIn(slab, piece, units)) {
          long offset = slab.base + (long) piece.startUnit * UNIT_BYTES;
          MemorySegment bytes = region.bytes().asSlice(offset, length);
          piece.bind(bytes);
          return true;
        }
        slab = following;
      }
    }
    return false;
  }

  void free(Piece piece) {
    Slab slab = piece.slab;
    slab.remove(piece);
    usedBytes -= (long) piece.units * UNIT_BYTES;
    pieceCount--;
    relist(slab);
  }

  Slab anySlab(RandomGenerator random) {
    return slabs[random.nextInt(slabs.length)];
  }

  private boolean placeIn(Slab slab, Piece piece, int units) {
    boolean placed = slab.place(piece, units);
    if (placed) {
      usedBytes += (long) units * UNIT_BYTES;
      pieceCount++;
    } else {
      relist(slab);
    }
    return placed;
  }

  private static int bucketOf(int units) {
    return units == 0 ? -1 : 31 - Integer.numberOfLeadingZeros(units);
  }

  private void relist(Slab slab) {
    if (slab.bucket != bucketOf(slab.runBound())) {
      unlist(slab);
      list(slab);
    }
  }

  private void list(Slab slab) {
    slab.bucket = bucketOf(slab.runBound());
    if (slab.bucket >= 0) {
      slab.previous = null;
      slab.next = byRun[slab.bucket];
      if (slab.next != null) {
        slab.next.previous = slab;
      }
      byRun[slab.bucket] = slab;
    }
  }

  private void unlist(Slab slab) {
    if (slab.bucket < 0) {
      return;
    }
    if (slab.previous == null) {
      byRun[slab.bucket] = slab.next;
    } else {
      slab.previous.next = slab.next;
    }
    if (slab.next != null) {
      slab.next.previous = slab.previous;
    }
    slab.previous = null;
    slab.next = null;
  }
}
