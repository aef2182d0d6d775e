package io.millrace.blocks;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.core.api.BlockId;
import io.millrace.core.api.BlockStore.Kind;
import io.millrace.core.api.Errno;
import io.millrace.core.api.Pinned;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** L1 in front of the disk, counted, not timed. */
class MemoryInFrontTest {
  private static final int MIB = 1 << 20;

  @TempDir(factory = InMemory.class)
  Path top;

  @Test
  void hitsInMemoryReadNothingFromDisk() {
    var fixture = new StoreFixture(top.resolve("d"), 64 << 20, 8 * MIB);
    fill(fixture, 100, 10_000);
    try (DiskBlockStore store = fixture.open()) {
      for (int round = 0; round < 3; round++) {
        readAll(store, 100, 10_000);
        assertEquals(100, store.counters().diskReads());
      }
      assertEquals(100, store.usage().diskHits());
      assertEquals(200, store.usage().l1Hits());
      assertTrue(store.readMemory(new BlockId(1, 1, 5), 100, 50).isPresent());
    }
  }

  @Test
  void newBlocksAreInMemoryAtOnce() {
    try (DiskBlockStore store = new StoreFixture(top.resolve("d"), 64 << 20, 8 * MIB).open()) {
      Bytes.put(store, new BlockId(1, 1, 0), 5000, Kind.DIRTY).close();
      store.readMemory(new BlockId(1, 1, 0), 0, 5000).orElseThrow().close();
      assertEquals(0, store.counters().diskReads());
    }
  }

  @Test
  void aScanOfABigFileDoesNotFlushSmallHotBlocks() {
    var fixture = new StoreFixture(top.resolve("d"), 256 << 20, 8 * MIB);
    fill(fixture, 800, 10_000);
    try (DiskBlockStore store = fixture.open()) {
      for (int i = 0; i < 24; i++) {
        Bytes.put(store, new BlockId(2, 1, i), 4 * MIB, Kind.DIRTY).close();
      }
      store.drop(store.blocksOf(3, 1));
    }
    try (DiskBlockStore store = fixture.open()) {
      readAll(store, 800, 10_000);
      readAll(store, 800, 10_000);
      for (int scan = 0; scan < 2; scan++) {
        for (int i = 0; i < 24; i++) {
          for (int offset = 0; offset < 4 * MIB; offset += MIB) {
            store.read(new BlockId(2, 1, i), offset, MIB).orElseThrow().close();
          }
        }
      }
      long before = store.counters().diskReads();
      readAll(store, 800, 10_000);
      assertTrue(store.counters().diskReads() - before < 80, "hot blocks were flushed");
    }
  }

  @Test
  void readersOfOneBlockShareOneRead() throws Exception {
    var fixture = new StoreFixture(top.resolve("d"), 64 << 20, 4096);
    fill(fixture, 1, 50_000);
    try (DiskBlockStore store = fixture.open();
        var threads = Executors.newFixedThreadPool(8)) {
      var readers = new ArrayList<Callable<Integer>>();
      for (int i = 0; i < 8; i++) {
        readers.add(() -> readMany(store));
      }
      for (var result : threads.invokeAll(readers)) {
        assertEquals(500, result.get());
      }
      assertTrue(store.counters().diskReads() <= 4000);
      assertEquals(0, store.bufferStats().usedBytes(), "a buffer leaked");
    }
  }

  @Test
  void aUseIsWrittenDownOncePerHour() {
    var fixture = new StoreFixture(top.resolve("d"), 64 << 20, 8 * MIB);
    fill(fixture, 1, 1000);
    long stored = fixture.nowSeconds() / 3600 * 3600;
    fixture.hoursPass(5);
    try (DiskBlockStore store = fixture.open()) {
      assertEquals(stored, store.lastUsedSeconds(1, 1));
      store.read(new BlockId(1, 1, 0), 0, 1000).orElseThrow().close();
    }
    try (DiskBlockStore store = fixture.open()) {
      assertEquals(stored + 5 * 3600, store.lastUsedSeconds(1, 0));
    }
  }

  @Test
  void buffersAreBoundedAndAnInterruptEndsTheWait() throws Exception {
    var fixture = new StoreFixture(top.resolve("d"), 256 << 20, 4096);
    try (DiskBlockStore store = fixture.open()) {
      var drafts = new ArrayList<AutoCloseable>();
      for (int i = 0; i < 4; i++) {
        drafts.add(store.begin(new BlockId(1, 1, i), 4 * MIB, Kind.CLEAN));
      }
      Thread.currentThread().interrupt();
      BlockStoreContract.assertErrno(
          Errno.EINTR, () -> store.begin(new BlockId(1, 1, 9), 4 * MIB, Kind.DIRTY));
      assertTrue(Thread.interrupted());
      for (AutoCloseable draft : drafts) {
        draft.close();
      }
      assertEquals(0, store.bufferStats().usedBytes());
    }
  }

  private static int readMany(DiskBlockStore store) {
    int good = 0;
    for (int i = 0; i < 500; i++) {
      try (Pinned read = store.read(new BlockId(1, 1, 0), 0, 50_000).orElseThrow()) {
        good += read.bytes().byteSize() == 50_000 ? 1 : 0;
      }
    }
    return good;
  }

  private static void fill(StoreFixture fixture, int blocks, int length) {
    try (DiskBlockStore store = fixture.open()) {
      for (int i = 0; i < blocks; i++) {
        Bytes.put(store, new BlockId(1, 1, i), length, Kind.CLEAN).close();
      }
    }
  }

  private static void readAll(DiskBlockStore store, int blocks, int length) {
    for (int i = 0; i < blocks; i++) {
      var id = new BlockId(1, 1, i);
      try (Pinned read = store.read(id, 0, length).orElseThrow()) {
        Bytes.check(id, 0, read.bytes());
      }
    }
  }
}
