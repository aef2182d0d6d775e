package io.millrace.blocks;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.core.api.BlockId;
import io.millrace.core.api.BlockStore.Kind;
import io.millrace.core.api.Pinned;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Random operations against a map, with reopening and compaction in between. */
class RandomOperationsTest {
  private static final Comparator<BlockId> KEY_ORDER =
      Comparator.comparingLong(BlockId::ino)
          .thenComparingLong(BlockId::version)
          .thenComparingInt(BlockId::index);

  private record Kept(int length, Kind kind) {}

  @TempDir(factory = InMemory.class)
  Path top;

  private final long seed = Long.getLong("seed", System.nanoTime());
  private final SplittableRandom random = new SplittableRandom(seed);
  private final TreeMap<BlockId, Kept> model = new TreeMap<>(KEY_ORDER);
  private DiskBlockStore store;

  @Test
  void behavesLikeAMap() {
    var fixture = new StoreFixture(top.resolve("d"), 256 << 20, 1 << 20);
    store = fixture.open();
    try {
      for (int step = 0; step < 3000; step++) {
        operation();
        if (step % 500 == 499) {
          checkAll();
          store.close();
          store = fixture.open();
          checkAll();
        }
      }
    } catch (RuntimeException | AssertionError failure) {
      throw new AssertionError("replay with -Dseed=" + seed, failure);
    } finally {
      store.close();
    }
  }

  private void operation() {
    var id = new BlockId(1 + random.nextInt(6), 1 + random.nextInt(3), random.nextInt(12));
    switch (random.nextInt(10)) {
      case 0, 1, 2 -> put(id);
      case 3 -> drop(id);
      case 4 -> setKind(id);
      case 5 -> store.tidy();
      case 6 -> store.sync();
      default -> read(id);
    }
  }

  private void put(BlockId id) {
    int length = random.nextInt(8) == 0 ? 1 + random.nextInt(300_000) : 1 + random.nextInt(60_000);
    Kept before = model.get(id);
    Kind kind = random.nextBoolean() ? Kind.CLEAN : Kind.DIRTY;
    Kept kept = before == null ? new Kept(length, kind) : before;
    try (Pinned stored = Bytes.put(store, id, kept.length(), kind)) {
      Bytes.check(id, 0, stored.bytes());
    }
    model.putIfAbsent(id, kept);
  }

  private void drop(BlockId id) {
    store.drop(List.of(id));
    model.remove(id);
  }

  private void setKind(BlockId id) {
    Kind kind = random.nextBoolean() ? Kind.CLEAN : Kind.DIRTY;
    store.setKind(List.of(id), kind);
    model.computeIfPresent(id, (same, kept) -> new Kept(kept.length(), kind));
  }

  private void read(BlockId id) {
    Kept kept = model.get(id);
    int length = kept == null ? 1 : 1 + random.nextInt(kept.length());
    int offset = kept == null ? 0 : random.nextInt(kept.length() - length + 1);
    Optional<Pinned> found = store.read(id, offset, length);
    assertEquals(kept != null, found.isPresent(), id.toString());
    found.ifPresent(
        pinned -> {
          Bytes.check(id, offset, pinned.bytes());
          pinned.close();
        });
  }

  private void checkAll() {
    var listed = new ArrayList<BlockId>();
    store.forEach(listed::add);
    assertEquals(List.copyOf(model.keySet()), listed);
    long dirty = 0;
    for (var entry : model.entrySet()) {
      Kept kept = entry.getValue();
      dirty += kept.kind() == Kind.DIRTY ? kept.length() : 0;
      try (Pinned all = store.read(entry.getKey(), 0, kept.length()).orElseThrow()) {
        Bytes.check(entry.getKey(), 0, all.bytes());
      }
    }
    assertEquals(dirty, store.usage().dirtyBytes());
    assertEquals(model.size(), store.usage().blocks());
    assertTrue(store.usage().diskBytes() <= store.usage().diskCapacity());
  }
}
