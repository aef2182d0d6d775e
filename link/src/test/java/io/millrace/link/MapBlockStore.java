package io.millrace.link;

import io.millrace.core.api.BlockId;
import io.millrace.core.api.BlockStore;
import io.millrace.core.api.Pinned;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** Blocks in memory: what the port says, nothing more. Counts blocks that were not given back. */
final class MapBlockStore implements BlockStore {
  private record Kept(MemorySegment bytes, Kind kind) {}

  private final TreeMap<BlockId, Kept> blocks =
      new TreeMap<>(
          Comparator.comparingLong(BlockId::ino)
              .thenComparingLong(BlockId::version)
              .thenComparingInt(BlockId::index));

  private final Map<Long, Long> used = new HashMap<>();
  private int pinned;

  /** Clean blocks find no room: they serve their caller and are gone. */
  boolean full;

  @Override
  public Draft begin(BlockId id, int length, Kind kind) {
    MemorySegment bytes = Arena.ofAuto().allocate(Math.max(1, length)).asSlice(0, length);
    return new Draft() {
      @Override
      public MemorySegment bytes() {
        return bytes;
      }

      @Override
      public Pinned commit(int crc32c) {
        return commit();
      }

      @Override
      public Pinned commit() {
        return put(id, bytes, kind);
      }

      @Override
      public void close() {}
    };
  }

  private synchronized Pinned put(BlockId id, MemorySegment bytes, Kind kind) {
    if (!full || kind == Kind.DIRTY) {
      blocks.putIfAbsent(id, new Kept(bytes, kind));
    }
    return pin(bytes);
  }

  private synchronized Pinned pin(MemorySegment bytes) {
    pinned++;
    return new Pinned() {
      private boolean closed;

      @Override
      public MemorySegment bytes() {
        return bytes;
      }

      @Override
      public void close() {
        synchronized (MapBlockStore.this) {
          if (closed) {
            throw new IllegalStateException("closed twice");
          }
          closed = true;
          pinned--;
          MapBlockStore.this.notifyAll();
        }
      }
    };
  }

  synchronized int pinned() {
    return pinned;
  }

  /** A flight lets go of its block after it has told those who wait. */
  synchronized void awaitUnpinned() throws InterruptedException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
    while (pinned > 0) {
      long left = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime());
      if (left <= 0) {
        throw new AssertionError(pinned + " blocks stay pinned");
      }
      wait(left);
    }
  }

  synchronized void usedAt(long ino, long seconds) {
    used.put(ino, seconds);
  }

  synchronized Optional<Kind> kind(BlockId id) {
    return Optional.ofNullable(blocks.get(id)).map(Kept::kind);
  }

  @Override
  public synchronized Optional<Pinned> read(BlockId id, int offset, int length) {
    return Optional.ofNullable(blocks.get(id))
        .map(kept -> pin(kept.bytes().asSlice(offset, length)));
  }

  @Override
  public Optional<Pinned> readMemory(BlockId id, int offset, int length) {
    return read(id, offset, length);
  }

  @Override
  public synchronized boolean contains(BlockId id) {
    return blocks.containsKey(id);
  }

  @Override
  public synchronized void setKind(List<BlockId> ids, Kind kind) {
    ids.forEach(id -> blocks.computeIfPresent(id, (k, kept) -> new Kept(kept.bytes(), kind)));
  }

  @Override
  public synchronized void drop(List<BlockId> ids) {
    ids.forEach(blocks::remove);
  }

  @Override
  public synchronized List<BlockId> blocksOf(long ino, long version) {
    return blocks.keySet().stream()
        .filter(id -> id.ino() == ino && id.version() == version)
        .toList();
  }

  @Override
  public synchronized void forEach(Consumer<BlockId> consumer) {
    blocks.keySet().forEach(consumer);
  }

  @Override
  public synchronized List<Stored> list(BlockId first, int limit) {
    return blocks.tailMap(first, true).entrySet().stream()
        .map(
            e -> new Stored(e.getKey(), e.getValue().kind(), (int) e.getValue().bytes().byteSize()))
        .limit(limit)
        .toList();
  }

  @Override
  public synchronized long bytesHere(long ino, long version) {
    return blocks.entrySet().stream()
        .filter(e -> e.getKey().ino() == ino && (version == 0 || e.getKey().version() == version))
        .mapToLong(e -> e.getValue().bytes().byteSize())
        .sum();
  }

  @Override
  public synchronized long lastUsedSeconds(long ino, long version) {
    return used.getOrDefault(ino, 0L);
  }

  @Override
  public void sync() {}

  @Override
  public synchronized Usage usage() {
    return new Usage(0, 0, 0, 0, 0, blocks.size(), 0, 0, 0);
  }

  @Override
  public void close() {}
}
