package io.millrace.blocks;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.core.api.BlockId;
import io.millrace.core.api.BlockStore.Kind;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.core.api.Pinned;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The capacity of a directory is a hard limit; clean blocks give way, dirty ones never. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class CapacityTest {
  private static final long CAPACITY = 16 << 20;
  private static final int LARGE = 1 << 20;
  private static final int SMALL = 20_000;

  @TempDir(factory = InMemory.class)
  Path top;

  private StoreFixture fixture;
  private DiskBlockStore store;

  @BeforeEach
  void open() {
    fixture = new StoreFixture(top.resolve("d"), CAPACITY, 4096);
    store = fixture.open();
  }

  @AfterEach
  void close() {
    store.close();
  }

  @Test
  void cleanBlocksThatFindNoBetterPlaceAreServedButNotKept() {
    int kept = 0;
    for (int i = 0; i < 40; i++) {
      var id = new BlockId(1, 1, i);
      try (Pinned served = Bytes.put(store, id, LARGE, Kind.CLEAN)) {
        Bytes.check(id, 0, served.bytes());
      }
      kept += store.contains(id) ? 1 : 0;
      checkLimit();
    }
    assertTrue(kept >= 12, "kept " + kept);
    assertEquals(40 - kept, store.counters().notKeptBlocks());
    for (int i = 0; i < kept; i++) {
      assertTrue(store.contains(new BlockId(1, 1, i)), "fills once and keeps what it has");
    }
  }

  @Test
  void aCleanBlockThatIsWantedMoreReplacesOne() {
    for (int i = 0; i < 20; i++) {
      Bytes.put(store, new BlockId(1, 1, i), LARGE, Kind.CLEAN).close();
    }
    var wanted = new BlockId(2, 1, 0);
    for (int i = 0; i < 8; i++) {
      assertTrue(store.read(wanted, 0, LARGE).isEmpty());
    }
    Bytes.put(store, wanted, LARGE, Kind.CLEAN).close();
    assertTrue(store.contains(wanted));
    checkLimit();
  }

  @Test
  void whatWasNotUsedForHoursGivesWayToAnything() {
    for (int i = 0; i < 20; i++) {
      Bytes.put(store, new BlockId(1, 1, i), LARGE, Kind.CLEAN).close();
    }
    fixture.hoursPass(26);
    for (int i = 0; i < 10; i++) {
      var id = new BlockId(2, 1, i);
      Bytes.put(store, id, LARGE, Kind.CLEAN).close();
      assertTrue(store.contains(id));
    }
    checkLimit();
  }

  @Test
  void dirtyBlocksPushOutCleanOnesLargeAndSmall() {
    for (int i = 0; i < 400; i++) {
      Bytes.put(store, new BlockId(1, 1, i), SMALL, Kind.CLEAN).close();
    }
    for (int i = 0; i < 8; i++) {
      Bytes.put(store, new BlockId(2, 1, i), LARGE, Kind.CLEAN).close();
    }
    for (int i = 0; i < 12; i++) {
      Bytes.put(store, new BlockId(3, 1, i), LARGE, Kind.DIRTY).close();
      checkLimit();
    }
    for (int i = 0; i < 12; i++) {
      check(new BlockId(3, 1, i), LARGE);
    }
  }

  @Test
  void noSpaceOnlyWhenNoCleanBlockIsLeft() {
    for (int i = 0; i < 200; i++) {
      Bytes.put(store, new BlockId(1, 1, i), SMALL, Kind.CLEAN).close();
    }
    var dirty = new ArrayList<BlockId>();
    FsException full = null;
    for (int i = 0; i < 2000 && full == null; i++) {
      var id = new BlockId(2, 1, i);
      try {
        Bytes.put(store, id, i % 10 == 0 ? LARGE : SMALL, Kind.DIRTY).close();
        dirty.add(id);
      } catch (FsException failure) {
        full = failure;
      }
      checkLimit();
    }
    assertEquals(Errno.ENOSPC, full.errno());
    assertTrue(store.blocksOf(1, 1).isEmpty(), "clean blocks are left");
    assertEquals(dirty, store.blocksOf(2, 1));
    for (BlockId id : dirty) {
      check(id, id.index() % 10 == 0 ? LARGE : SMALL);
    }
    store.setKind(dirty, Kind.CLEAN);
    Bytes.put(store, new BlockId(3, 1, 0), LARGE, Kind.DIRTY).close();
    check(new BlockId(3, 1, 0), LARGE);
  }

  @Test
  void droppedSmallBlocksMakeRoomForDirtyOnes() {
    for (int i = 0; i < 2000; i++) {
      var id = new BlockId(1, 1, i);
      Bytes.put(store, id, SMALL, Kind.DIRTY).close();
      if (i % 10 != 0) {
        store.drop(List.of(id));
      }
      checkLimit();
    }
    for (int i = 0; i < 2000; i += 10) {
      check(new BlockId(1, 1, i), SMALL);
    }
  }

  @Test
  void theLimitHoldsAfterReopening() {
    for (int i = 0; i < 100; i++) {
      Bytes.put(store, new BlockId(1, 1, i), SMALL * (i % 5 + 1), Kind.CLEAN).close();
    }
    long before = store.usage().diskBytes();
    store.close();
    store = fixture.open();
    long change = store.usage().diskBytes() - before;
    assertTrue(Math.abs(change) < 100_000, "differs by " + change);
    assertFalse(store.usage().dirtyBytes() > 0);
  }

  private void check(BlockId id, int length) {
    try (Pinned read = store.read(id, 0, length).orElseThrow()) {
      Bytes.check(id, 0, read.bytes());
    }
  }

  private void checkLimit() {
    assertTrue(store.usage().diskBytes() <= CAPACITY, store.usage().toString());
  }
}
