package io.millrace.node;

import io.millrace.core.api.BlockId;
import io.millrace.core.api.BlockStore;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.core.api.Pinned;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.zip.CRC32C;

/** Blocks in memory that counts its pins; {@code inMemory} false makes all of it look like disk. */
final class MemoryBlocks implements BlockStore {
  private static final Comparator<BlockId> ORDER =
      Comparator.comparingLong(BlockId::ino)
          .thenComparing(BlockId::version, Long::compareUnsigned)
          .thenComparingInt(BlockId::index);

  final AtomicInteger pins = new AtomicInteger();
  final AtomicInteger syncs = new AtomicInteger();

  /** Looks for a block that had to go to the index: {@link #read} and {@link #contains}. */
  final AtomicInteger looks = new AtomicInteger();

  /** What {@link #syncs} was at the last drop. */
  volatile int syncsAtDrop;

  volatile boolean inMemory = true;
  private final Map<BlockId, MemorySegment> blocks = new ConcurrentHashMap<>();
  private final Arena arena = Arena.ofAuto();

  @Override
  public Draft begin(BlockId id, int length, Kind kind) {
    MemorySegment bytes = arena.allocate(length);
    return new Draft() {
      @Override
      public MemorySegment bytes() {
        return bytes;
      }

      @Override
      public Pinned commit(int crc32c) {
        if (crc32c != crc(bytes)) {
          throw new FsException(Errno.EIO, "checksum is wrong", "block", id);
        }
        return commit();
      }

      @Override
      public Pinned commit() {
        return pin(blocks.merge(id, bytes, (old, later) -> old));
      }

      @Override
      public void close() {}
    };
  }

  static int crc(MemorySegment bytes) {
    var crc = new CRC32C();
    crc.update(bytes.asByteBuffer());
    return (int) crc.getValue();
  }

  @Override
  public Optional<Pinned> read(BlockId id, int offset, int length) {
    looks.incrementAndGet();
    return Optional.ofNullable(blocks.get(id)).map(bytes -> pin(bytes.asSlice(offset, length)));
  }

  @Override
  public Optional<Pinned> readMemory(BlockId id, int offset, int length) {
    return inMemory ? read(id, offset, length) : Optional.empty();
  }

  private Pinned pin(MemorySegment bytes) {
    pins.incrementAndGet();
    return new Pinned() {
      @Override
      public MemorySegment bytes() {
        return bytes;
      }

      @Override
      public void close() {
        pins.decrementAndGet();
      }
    };
  }

  @Override
  public boolean contains(BlockId id) {
    looks.incrementAndGet();
    return blocks.containsKey(id);
  }

  @Override
  public void setKind(List<BlockId> ids, Kind kind) {}

  @Override
  public void drop(List<BlockId> ids) {
    syncsAtDrop = syncs.get();
    ids.forEach(blocks::remove);
  }

  @Override
  public List<BlockId> blocksOf(long ino, long version) {
    return blocks.keySet().stream()
        .filter(id -> id.ino() == ino && id.version() == version)
        .sorted(Comparator.comparingInt(BlockId::index))
        .toList();
  }

  @Override
  public void forEach(Consumer<BlockId> consumer) {
    blocks.keySet().forEach(consumer);
  }

  @Override
  public List<Stored> list(BlockId first, int limit) {
    return blocks.entrySet().stream()
        .map(e -> new Stored(e.getKey(), Kind.DIRTY, (int) e.getValue().byteSize()))
        .sorted(Comparator.comparing(Stored::id, ORDER))
        .filter(stored -> ORDER.compare(stored.id(), first) >= 0)
        .limit(limit)
        .toList();
  }

  @Override
  public long bytesHere(long ino, long version) {
    return 0;
  }

  @Override
  public long lastUsedSeconds(long ino, long version) {
    return 0;
  }

  @Override
  public void sync() {
    syncs.incrementAndGet();
  }

  @Override
  public Usage usage() {
    return new Usage(0, 0, 0, 1 << 30, 0, blocks.size(), 0, 0, 0);
  }

  @Override
  public void close() {}
}
