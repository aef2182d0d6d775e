package io.millrace.blocks;

import io.millrace.core.api.BlockId;
import io.millrace.core.api.BlockStore;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.core.api.Pinned;
import io.millrace.core.cache.Admission;
import io.millrace.core.cache.Buffer;
import io.millrace.core.cache.BufferPool;
import io.millrace.core.cache.CachedBlock;
import io.millrace.core.cache.OffHeapCache;
import io.millrace.core.cache.Reservation;
import io.millrace.core.cache.Use;
import java.lang.foreign.MemorySegment;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * The block store of one node: directories on local disks with L1 memory in front. Owns L1, the
 * buffers, the directories and one background thread; {@link #close} ends them. Pins may outlive it
 * (their memory goes with the last of them).
 */
public final class DiskBlockStore implements BlockStore {
  private final OffHeapCache l1;
  private final BufferPool buffers;
  private final List<DiskDirectory> directories;
  private final Placement placement;
  private final DiskPopularity popularity;
  private final StoreCounters counters = new StoreCounters();
  private final BlockReader reader;
  private final BlockWriter writer;
  private final BlockListing listing;
  private final Maintenance maintenance;
  private final InstantSource clock;

  /**
   * @throws FsException EBUSY a directory is in use by another process; EINVAL it has an unknown
   *     format; EIO
   */
  public DiskBlockStore(BlockStoreConfig config, InstantSource clock) {
    this.clock = clock;
    directories = open(config, counters);
    placement = new Placement(directories);
    l1 = new OffHeapCache(config.l1Bytes());
    buffers = new BufferPool(config.bufferBytes());
    popularity = new DiskPopularity(capacity(), config.idleHours());
    reader = new BlockReader(placement, l1, buffers, counters, this::hour);
    writer = new BlockWriter(placement, popularity, counters, this::hour);
    listing = new BlockListing(directories);
    maintenance =
        new Maintenance(
            directories, popularity, counters, this::hour, config.compactionBytesPerSecond());
    maintenance.start();
  }

  @Override
  public Draft begin(BlockId id, int length, Kind kind) {
    checkLength(id, length);
    DiskDirectory room =
        switch (kind) {
          case CLEAN -> null;
          case DIRTY -> writer.roomForDirty(id, length);
        };
    boolean begun = false;
    try {
      Admission admission = room == null ? Admission.ASKED_FOR : Admission.SPARE_ROOM;
      Reservation cached =
          l1.reserve(id.ino(), id.version(), id.index(), length, admission).orElse(null);
      Buffer buffer = cached == null ? buffers.take(length) : null;
      begun = true;
      return new DiskDraft(writer, id, length, room, cached, buffer);
    } finally {
      if (!begun && room != null) {
        writer.giveRoom(room, length);
      }
    }
  }

  private static void checkLength(BlockId id, int length) {
    if (length <= 0 || length > BlockId.MAX_BYTES) {
      throw new FsException(Errno.EINVAL, "no such block length", "block", id, "length", length);
    }
  }

  @Override
  public Optional<Pinned> read(BlockId id, int offset, int length) {
    boolean counted = counts(offset, length);
    if (counted) {
      popularity.used(id);
    }
    CachedBlock hit = pin(id, counted ? Use.COUNTED : Use.UNCOUNTED);
    if (hit != null) {
      return Optional.of(part(hit, id, offset, length));
    }
    return reader.read(id, offset, length, counted).map(found -> noteUse(id, found));
  }

  @Override
  public Optional<Pinned> readMemory(BlockId id, int offset, int length) {
    CachedBlock hit = pin(id, counts(offset, length) ? Use.COUNTED_IF_HIT : Use.UNCOUNTED);
    return hit == null ? Optional.empty() : Optional.of(part(hit, id, offset, length));
  }

  @Override
  public void expect(BlockId id, int offset, int length) {
    if (l1.contains(id.ino(), id.version(), id.index())) {
      return;
    }
    Placement.Found found = placement.find(id);
    if (found != null) {
      found.directory().expect(found.row(), offset, length);
    }
  }

  /** Straight to the disk where L1 has no room to spare: no copy and no buffer. */
  @Override
  public void put(BlockId id, MemorySegment bytes, int crc32c) {
    int length = Math.toIntExact(bytes.byteSize());
    checkLength(id, length);
    DiskDirectory room = writer.roomForDirty(id, length);
    Reservation cached = null;
    boolean begun = false;
    try {
      cached =
          l1.reserve(id.ino(), id.version(), id.index(), length, Admission.SPARE_ROOM).orElse(null);
      begun = true;
    } finally {
      if (!begun) {
        writer.giveRoom(room, length);
      }
    }
    try (var draft = new DiskDraft(writer, id, length, room, cached, new Borrowed(bytes))) {
      if (cached != null) {
        cached.bytes().copyFrom(bytes);
      }
      draft.commit(crc32c).close();
    }
  }

  /** Memory of whoever called; it goes nowhere. */
  private record Borrowed(MemorySegment bytes) implements Pinned {
    @Override
    public void close() {}
  }

  @Override
  public boolean contains(BlockId id) {
    return l1.contains(id.ino(), id.version(), id.index()) || placement.find(id) != null;
  }

  @Override
  public void setKind(List<BlockId> ids, Kind kind) {
    for (BlockId id : ids) {
      for (DiskDirectory directory : directories) {
        directory.setKind(id, kind);
      }
    }
  }

  @Override
  public void drop(List<BlockId> ids) {
    for (BlockId id : ids) {
      for (DiskDirectory directory : directories) {
        directory.drop(id, null, false);
      }
      l1.remove(id.ino(), id.version(), id.index());
    }
  }

  @Override
  public List<BlockId> blocksOf(long ino, long version) {
    return listing.blocksOf(ino, version);
  }

  @Override
  public void forEach(Consumer<BlockId> consumer) {
    listing.forEach(consumer);
  }

  @Override
  public List<Stored> list(BlockId first, int limit) {
    return listing.list(first, limit);
  }

  @Override
  public long bytesHere(long ino, long version) {
    return listing.bytesHere(ino, version);
  }

  @Override
  public long lastUsedSeconds(long ino, long version) {
    return TimeUnit.HOURS.toSeconds(listing.lastUsedHour(ino, version));
  }

  @Override
  public void sync() {
    directories.forEach(DiskDirectory::sync);
  }

  @Override
  public Usage usage() {
    long used = 0;
    long dirty = 0;
    long blocks = 0;
    for (DiskDirectory directory : directories) {
      used += directory.space().usedBytes();
      dirty += directory.totals().dirtyBytes;
      blocks += directory.totals().blocks;
    }
    OffHeapCache.Stats memory = l1.stats();
    return new Usage(
        memory.usedBytes(),
        memory.capacityBytes(),
        used,
        capacity(),
        dirty,
        blocks,
        memory.hits(),
        counters.diskHits.sum(),
        counters.misses.sum());
  }

  public StoreCounters counters() {
    return counters;
  }

  /** For metrics: what L1 admitted, refused and evicted. */
  public OffHeapCache.Stats l1Stats() {
    return l1.stats();
  }

  /** For metrics: memory of blocks on their way. */
  public BufferPool.Stats bufferStats() {
    return buffers.stats();
  }

  @Override
  public void close() {
    maintenance.close();
    try {
      closeAll(directories);
    } finally {
      l1.close();
      buffers.close();
    }
  }

  /** Writes down uses and compacts now; for tests, which don't wait for the background thread. */
  void tidy() {
    maintenance.tidy();
  }

  private CachedBlock pin(BlockId id, Use use) {
    return l1.pin(id.ino(), id.version(), id.index(), use);
  }

  private Pinned part(CachedBlock hit, BlockId id, int offset, int length) {
    try {
      BlockReader.checkRange(id, hit.bytes().byteSize(), offset, length);
    } catch (FsException badRange) {
      hit.close();
      throw badRange;
    }
    int now = hour();
    if (hit.mark(now) && !maintenance.used(id)) {
      hit.mark(now - 1);
    }
    return hit.part(offset, length);
  }

  private Pinned noteUse(BlockId id, BlockReader.Found found) {
    if (found.row().usedHour() != hour()) {
      maintenance.used(id);
    }
    return found.bytes();
  }

  /**
   * Whether a read counts as a use of its block. A block read piece by piece must not count for
   * each piece: its first piece counts, others by chance, as large as they are.
   */
  private static boolean counts(int offset, int length) {
    return offset == 0 || ThreadLocalRandom.current().nextInt(BlockId.MAX_BYTES) < length;
  }

  private int hour() {
    return (int) TimeUnit.MILLISECONDS.toHours(clock.millis());
  }

  private long capacity() {
    long capacity = 0;
    for (DiskDirectory directory : directories) {
      capacity += directory.space().capacityBytes();
    }
    return capacity;
  }

  private static List<DiskDirectory> open(BlockStoreConfig config, StoreCounters counters) {
    var opened = new ArrayList<DiskDirectory>();
    boolean done = false;
    try {
      for (BlockStoreConfig.Directory directory : config.directories()) {
        opened.add(DirectoryOpening.open(config, directory, counters));
      }
      done = true;
      return List.copyOf(opened);
    } finally {
      if (!done) {
        closeAll(opened);
      }
    }
  }

  /** Closes all, also where closing one fails. */
  private static void closeAll(List<DiskDirectory> opened) {
    RuntimeException first = null;
    for (DiskDirectory directory : opened) {
      try {
        directory.close();
      } catch (RuntimeException failure) {
        if (first == null) {
          first = failure;
        } else {
          first.addSuppressed(failure);
        }
      }
    }
    if (first != null) {
      throw first;
    }
  }
}
