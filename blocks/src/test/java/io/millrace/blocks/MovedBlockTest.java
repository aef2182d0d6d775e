package io.millrace.blocks;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.core.api.BlockId;
import io.millrace.core.api.BlockStore.Draft;
import io.millrace.core.api.BlockStore.Kind;
import io.millrace.core.api.Pinned;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Blocks that are moved, or read in part, while others want them; each step in a known order. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class MovedBlockTest {
  private static final int LENGTH = 20_000;
  private static final int HOG_BYTES = 4 << 20;
  private static final int SEGMENT_BLOCKS = 60;

  @TempDir(factory = InMemory.class)
  Path top;

  /**
   * The first reader has looked up the old place and waits for memory; the block moves, its old
   * segment goes; the second reader knows the new place and waits for the first one's read, which
   * finds nothing.
   */
  @Test
  void aReaderBesideOneThatLooksAtTheOldPlaceFindsTheNewOne() throws Exception {
    for (Kind kind : Kind.values()) {
      var fixture = new StoreFixture(top.resolve(kind.name()), 256 << 20, 4096);
      try (DiskBlockStore store = fixture.open()) {
        moveBetweenTwoReaders(store, kind);
        assertEquals(0, store.counters().damagedBlocks());
        assertEquals(0, store.bufferStats().usedBytes(), "a buffer leaked");
      }
    }
  }

  private static void moveBetweenTwoReaders(DiskBlockStore store, Kind kind) throws Exception {
    var wanted = new BlockId(1, 1, 0);
    Bytes.put(store, wanted, LENGTH, kind).close();
    var neighbours = new ArrayList<BlockId>();
    for (int i = 0; i < SEGMENT_BLOCKS; i++) {
      neighbours.add(new BlockId(2, 1, i));
      Bytes.put(store, neighbours.getLast(), LENGTH, kind).close();
    }
    store.sync();
    List<Draft> hogs = hogs(store);
    var first = reader(store, wanted);
    while (store.bufferStats().waiting() == 0) {
      Thread.onSpinWait();
    }
    long removed = store.counters().segmentsRemoved();
    store.drop(neighbours);
    while (store.counters().segmentsRemoved() == removed) {
      store.tidy();
    }
    var second = reader(store, wanted);
    while (!waitsForAnother(second.thread)) {
      Thread.onSpinWait();
    }
    hogs.forEach(Draft::close);
    assertTrue(second.read.get(), kind + " block is not found");
    assertTrue(first.read.get(), kind + " block is not found");
  }

  /** All memory that readers could get. */
  private static List<Draft> hogs(DiskBlockStore store) {
    var hogs = new ArrayList<Draft>();
    for (int i = 0; store.bufferStats().usedBytes() < store.bufferStats().capacityBytes(); i++) {
      hogs.add(store.begin(new BlockId(9, 1, i), HOG_BYTES, Kind.CLEAN));
    }
    return hogs;
  }

  private record Reader(Thread thread, FutureTask<Boolean> read) {}

  private static Reader reader(DiskBlockStore store, BlockId id) {
    var read = new FutureTask<>(() -> check(store, id, LENGTH, LENGTH));
    return new Reader(Thread.ofPlatform().start(read), read);
  }

  private static boolean waitsForAnother(Thread thread) {
    for (StackTraceElement frame : thread.getStackTrace()) {
      if (frame.getClassName().equals(Flight.class.getName())) {
        return thread.getState() == Thread.State.WAITING;
      }
    }
    return false;
  }

  private static boolean check(DiskBlockStore store, BlockId id, int blockLength, int length) {
    var found = store.read(id, 0, length);
    if (found.isEmpty()) {
      return false;
    }
    try (Pinned read = found.get()) {
      assertEquals(length, read.bytes().byteSize());
      Bytes.check(id, 0, read.bytes());
      return length <= blockLength;
    }
  }

  /** Who wants a part and who wants the whole: the first one's read does not serve the second. */
  @Test
  void wholesAndPartsOfLargeBlocksAreReadSideBySide() throws Exception {
    int length = 300_000;
    var fixture = new StoreFixture(top.resolve("d"), 256 << 20, 4096);
    try (DiskBlockStore store = fixture.open();
        var threads = Executors.newFixedThreadPool(4)) {
      var id = new BlockId(1, 1, 0);
      Bytes.put(store, id, length, Kind.DIRTY).close();
      var readers = new ArrayList<Callable<Integer>>();
      for (int t = 0; t < 4; t++) {
        var random = new SplittableRandom(t);
        readers.add(
            () -> {
              int good = 0;
              for (int i = 0; i < 500; i++) {
                good += check(store, id, length, random.nextBoolean() ? length : 1000) ? 1 : 0;
              }
              return good;
            });
      }
      for (var result : threads.invokeAll(readers)) {
        assertEquals(500, result.get());
      }
      assertEquals(0, store.counters().damagedBlocks());
    }
  }

  /** Whoever finds the segment empty, its blocks' new places survive power loss before it goes. */
  @Test
  void H13_anEmptiedSegmentGoesAfterASync() {
    try (DiskDirectory directory = directory();
        Arena arena = Arena.ofConfined()) {
      MemorySegment bytes = arena.allocate(LENGTH);
      for (int i = 0; i < 3; i++) {
        store(directory, new BlockId(1, 1, i), bytes);
      }
      directory.sync();
      directory.sealAll();
      Segment old = directory.segments().segment(directory.row(new BlockId(1, 1, 0)).file());
      for (int i = 0; i < 3; i++) {
        assertFalse(directory.remove(old), "it has live blocks");
        var id = new BlockId(1, 1, i);
        assertTrue(directory.move(id, directory.row(id), old, bytes));
      }
      long syncs = directory.syncs();
      assertTrue(directory.remove(old));
      assertTrue(directory.syncs() > syncs, "nothing made the moved blocks durable");
      assertFalse(directory.remove(old), "it is gone");
      assertNull(directory.segments().segment(old.number()));
    }
  }

  private DiskDirectory directory() {
    BlockStoreConfig config = StoreFixture.config(top.resolve("d"), 64 << 20, 4096);
    return DirectoryOpening.open(config, config.directories().getFirst(), new StoreCounters());
  }

  private static void store(DiskDirectory directory, BlockId id, MemorySegment bytes) {
    Bytes.fill(id, bytes);
    PieceSums sums = PieceSums.of(bytes);
    assertTrue(directory.space().take(directory.roomFor(LENGTH)));
    var header = new RecordHeader(id, Kind.DIRTY, LENGTH, sums.whole());
    assertNull(directory.store(header, sums, bytes, 1));
  }
}
