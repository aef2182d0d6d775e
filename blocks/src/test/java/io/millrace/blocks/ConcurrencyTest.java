package io.millrace.blocks;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.core.api.BlockId;
import io.millrace.core.api.BlockStore.Kind;
import io.millrace.core.api.Pinned;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Readers, writers, drops and compaction side by side; every byte read is checked. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ConcurrencyTest {
  private static final int LENGTH = 20_000;

  @TempDir(factory = InMemory.class)
  Path top;

  private final long seed = Long.getLong("seed", System.nanoTime());

  @Test
  void readersAreSafeWhileSegmentsAreEmptiedUnderThem() throws Exception {
    var fixture = new StoreFixture(top.resolve("d"), 256 << 20, 4096);
    try (DiskBlockStore store = fixture.open();
        var threads = Executors.newFixedThreadPool(4)) {
      var done = new AtomicBoolean();
      for (int i = 0; i < 40; i++) {
        put(store, new BlockId(1, 1, i));
      }
      var readers = new ArrayList<Callable<Integer>>();
      for (int t = 0; t < 3; t++) {
        var random = new SplittableRandom(seed + t);
        readers.add(() -> readUntil(store, random, done));
      }
      var results = readers.stream().map(threads::submit).toList();
      churn(store);
      done.set(true);
      for (var result : results) {
        assertTrue(result.get() > 0);
      }
      assertTrue(store.counters().segmentsRemoved() > 5);
      assertEquals(0, store.counters().damagedBlocks());
      assertEquals(0, store.bufferStats().usedBytes(), "a buffer leaked");
    }
  }

  @Test
  void manyWritersReadersAndDroppersAgreeAtTheEnd() throws Exception {
    var fixture = new StoreFixture(top.resolve("d"), 32 << 20, 2 << 20);
    try (DiskBlockStore store = fixture.open();
        var threads = Executors.newFixedThreadPool(4)) {
      var tasks = new ArrayList<Callable<Integer>>();
      for (int t = 0; t < 4; t++) {
        var random = new SplittableRandom(seed + t);
        tasks.add(() -> mixed(store, random));
      }
      for (var result : threads.invokeAll(tasks)) {
        assertTrue(result.get() > 0, "replay with -Dseed=" + seed);
      }
      var listed = new ArrayList<BlockId>();
      store.forEach(listed::add);
      assertEquals(listed.size(), store.usage().blocks());
      for (BlockId id : listed) {
        check(store, id);
      }
      assertEquals(0, store.counters().damagedBlocks());
      store.drop(listed);
      assertEquals(0, store.usage().blocks());
      assertEquals(0, store.usage().dirtyBytes());
    }
  }

  @Test
  void concurrentSyncsShareRounds() throws Exception {
    var fixture = new StoreFixture(top.resolve("d"), 64 << 20, 4096);
    try (DiskBlockStore store = fixture.open();
        var threads = Executors.newFixedThreadPool(8)) {
      var tasks = new ArrayList<Callable<Integer>>();
      for (int t = 0; t < 8; t++) {
        int index = t;
        tasks.add(
            () -> {
              Bytes.put(store, new BlockId(1, 1, index), 1000, Kind.DIRTY).close();
              store.sync();
              return 1;
            });
      }
      for (var result : threads.invokeAll(tasks)) {
        assertEquals(1, result.get());
      }
      assertEquals(8, store.blocksOf(1, 1).size());
    }
  }

  /** Blocks that come and go, so that segments die around those the readers want. */
  private static void churn(DiskBlockStore store) {
    for (int round = 0; round < 30; round++) {
      var dying = new ArrayList<BlockId>();
      for (int i = 0; i < 100; i++) {
        var id = new BlockId(2, 1 + round, i);
        put(store, id);
        dying.add(id);
      }
      store.drop(dying);
      store.tidy();
    }
  }

  private static int readUntil(DiskBlockStore store, SplittableRandom random, AtomicBoolean done) {
    int reads = 0;
    while (!done.get()) {
      check(store, new BlockId(1, 1, random.nextInt(40)));
      reads++;
    }
    return reads;
  }

  private static int mixed(DiskBlockStore store, SplittableRandom random) {
    int good = 0;
    for (int i = 0; i < 800; i++) {
      var id = new BlockId(1 + random.nextInt(3), 1, random.nextInt(80));
      switch (random.nextInt(8)) {
        case 0 -> store.drop(List.of(id));
        case 1 -> store.setKind(List.of(id), random.nextBoolean() ? Kind.CLEAN : Kind.DIRTY);
        case 2, 3, 4 -> put(store, id);
        default -> good += check(store, id);
      }
    }
    return good;
  }

  private static void put(DiskBlockStore store, BlockId id) {
    int length = id.ino() == 3 ? 100_000 : LENGTH;
    Bytes.put(store, id, length, id.index() % 2 == 0 ? Kind.CLEAN : Kind.DIRTY).close();
  }

  private static int check(DiskBlockStore store, BlockId id) {
    int length = id.ino() == 3 ? 100_000 : LENGTH;
    var found = store.read(id, 0, length);
    if (found.isEmpty()) {
      return 0;
    }
    try (Pinned read = found.get()) {
      Bytes.check(id, 0, read.bytes());
      return 1;
    }
  }
}
