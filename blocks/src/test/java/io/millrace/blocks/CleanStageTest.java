package io.millrace.blocks;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.core.api.BlockId;
import io.millrace.core.api.BlockStore.Kind;
import io.millrace.core.api.Pinned;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Small clean blocks before, while and after they are written together. What a killed process
 * leaves is what its files hold at that moment: a copy of them.
 */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class CleanStageTest {
  private static final int LENGTH = 20_000;

  @TempDir(factory = InMemory.class)
  Path top;

  private StoreFixture fixture;
  private DiskBlockStore store;

  @BeforeEach
  void open() {
    fixture = fixture("d");
    store = fixture.open();
  }

  @AfterEach
  void close() {
    store.close();
  }

  @Test
  void aBlockIsHereBeforeItIsWritten() {
    for (int i = 0; i < 3; i++) {
      put(new BlockId(5, 7, i), Kind.CLEAN);
    }
    check(store, new BlockId(5, 7, 1));
    assertTrue(store.contains(new BlockId(5, 7, 2)));
    assertFalse(store.contains(new BlockId(5, 7, 3)));
    assertEquals(3, store.blocksOf(5, 7).size());
    assertEquals(3L * LENGTH, store.bytesHere(5, 7));
    assertEquals(3L * LENGTH, store.bytesHere(5, 0));
    assertEquals(0, store.bytesHere(5, 8));
    assertEquals(0, store.bytesHere(4, 0));
    assertEquals(fixture.nowSeconds() / 3600, store.lastUsedSeconds(5, 7) / 3600);
    assertEquals(3, store.usage().blocks());
    assertEquals(0, store.usage().dirtyBytes());
    assertEquals(3, listed(store).size());
  }

  @Test
  void manyBlocksAreWrittenAtOnceInWholePages() throws IOException {
    for (int i = 0; i < 30; i++) {
      put(new BlockId(1, 1, i), Kind.CLEAN);
    }
    store.sync();
    long written = segmentBytes("d");
    assertTrue(written >= 30 * SegmentFiles.recordBytes(LENGTH));
    assertTrue(written < 30 * StageBuffer.wholePages(SegmentFiles.recordBytes(LENGTH)));
    assertEquals(0, written % StageBuffer.PAGE_BYTES);
    put(new BlockId(1, 1, 30), Kind.CLEAN);
    store.sync();
    assertEquals(0, segmentBytes("d") % StageBuffer.PAGE_BYTES);
    checkAll(store, 31);
  }

  @Test
  void aBlockLeftAloneIsWrittenSoon() throws IOException {
    put(new BlockId(1, 1, 0), Kind.CLEAN);
    while (segmentBytes("d") == 0) {
      LockSupport.parkNanos(1_000_000); // the class has a time limit
    }
    checkAll(store, 1);
  }

  @Test
  void buffersAndSegmentsFollowEachOther() {
    for (int i = 0; i < 200; i++) {
      put(new BlockId(1, 1, i), Kind.CLEAN);
    }
    checkAll(store, 200);
    store.close();
    store = fixture.open();
    checkAll(store, 200);
    assertEquals(200, store.usage().blocks());
  }

  @Test
  void H13_aKilledProcessLosesOnlyCleanBlocksThatWereNotWritten() throws IOException {
    put(new BlockId(1, 1, 0), Kind.CLEAN);
    put(new BlockId(1, 1, 1), Kind.DIRTY);
    store.sync();
    put(new BlockId(1, 1, 2), Kind.DIRTY);
    put(new BlockId(1, 1, 3), Kind.CLEAN);
    try (DiskBlockStore after = afterKill()) {
      checkAll(after, 3);
      var last = new BlockId(1, 1, 3);
      after.read(last, 0, LENGTH).ifPresent(Pinned::close); // written after a second, or lost
      Bytes.put(after, last, LENGTH, Kind.CLEAN).close();
      checkAll(after, 4);
      assertEquals(4, after.usage().blocks());
    }
  }

  @Test
  void H13_aBlockThatBecomesDirtyIsWrittenFirst() throws IOException {
    var id = new BlockId(1, 1, 0);
    put(id, Kind.CLEAN);
    store.setKind(List.of(id), Kind.CLEAN);
    store.setKind(List.of(id), Kind.DIRTY);
    assertEquals(LENGTH, store.usage().dirtyBytes());
    try (DiskBlockStore after = afterKill()) {
      assertEquals(LENGTH, after.usage().dirtyBytes());
      check(after, id);
    }
  }

  @Test
  void H13_storedAgainAsDirtyItIsWrittenFirst() throws IOException {
    var id = new BlockId(1, 1, 0);
    put(id, Kind.CLEAN);
    put(id, Kind.DIRTY);
    try (DiskBlockStore after = afterKill()) {
      check(after, id);
    }
  }

  @Test
  void aDroppedBlockDoesNotComeBack() throws IOException {
    put(new BlockId(1, 1, 0), Kind.CLEAN);
    put(new BlockId(1, 1, 1), Kind.CLEAN);
    store.drop(List.of(new BlockId(1, 1, 1)));
    assertFalse(store.contains(new BlockId(1, 1, 1)));
    try (DiskBlockStore after = afterKill()) {
      assertTrue(after.read(new BlockId(1, 1, 1), 0, 1).isEmpty());
    }
    store.sync();
    assertEquals(List.of(new BlockId(1, 1, 0)), listed(store));
    put(new BlockId(1, 1, 1), Kind.CLEAN);
    checkAll(store, 2);
  }

  @Test
  void compactionLeavesWhatIsOnItsWay() {
    for (int i = 0; i < 400; i++) {
      put(new BlockId(1, 1, i), Kind.CLEAN);
    }
    var dropped = IntStream.range(0, 400).filter(i -> i % 10 != 0);
    store.drop(dropped.mapToObj(i -> new BlockId(1, 1, i)).toList());
    for (int i = 0; i < 20; i++) {
      put(new BlockId(2, 1, i), Kind.CLEAN);
      store.tidy();
    }
    assertTrue(store.counters().segmentsRemoved() > 2);
    for (int i = 0; i < 400; i += 10) {
      check(store, new BlockId(1, 1, i));
    }
    for (int i = 0; i < 20; i++) {
      check(store, new BlockId(2, 1, i));
    }
  }

  @Test
  void aLostIndexIsMadeAnewAcrossPadding() throws IOException {
    for (int i = 0; i < 40; i++) {
      put(new BlockId(1, 1, i), Kind.CLEAN);
      if (i % 3 == 0) {
        store.sync();
      }
    }
    store.close();
    deleteAll(top.resolve("d/index"));
    store = fixture.open();
    checkAll(store, 40);
    assertEquals(40, store.usage().blocks());
  }

  @Test
  void paddingCountsAgainstTheCapacity() {
    for (int i = 0; i < 200; i++) {
      Bytes.put(store, new BlockId(1, 1, i), 10, Kind.CLEAN).close();
      store.sync();
    }
    long used = store.usage().diskBytes();
    assertTrue(used >= 200L * StageBuffer.PAGE_BYTES, "counted " + used);
    store.close();
    store = fixture.open();
    assertTrue(Math.abs(store.usage().diskBytes() - used) < 50_000);
  }

  @Test
  void blocksThatCannotBeWrittenAreForgottenAndCounted() throws IOException {
    put(new BlockId(1, 1, 0), Kind.CLEAN);
    for (Path segment : segments("d")) {
      Files.delete(segment);
    }
    store.sync();
    assertFalse(store.contains(new BlockId(1, 1, 0)));
    assertEquals(1, store.counters().notKeptBlocks());
    put(new BlockId(1, 1, 0), Kind.CLEAN);
    store.sync();
    checkAll(store, 1);
    assertEquals(1, store.usage().blocks());
  }

  @Test
  void whoStoredABlockFindsItHoweverOthersLook() throws InterruptedException {
    int count = 3000;
    var failure = new AtomicReference<Throwable>();
    Runnable looking =
        () -> {
          for (int i = 0; i < count; i++) {
            for (int j = 0; j < 8; j++) {
              store.contains(new BlockId(1, 1, Math.min(count - 1, i + j)));
            }
          }
        };
    Runnable storing =
        () -> {
          for (int i = 0; i < count; i++) {
            var id = new BlockId(1, 1, i);
            Bytes.put(store, id, 100, i % 7 == 0 ? Kind.DIRTY : Kind.CLEAN).close();
            assertTrue(store.contains(id), id.toString());
            if (i % 50 == 0) {
              store.sync();
            }
            assertTrue(store.contains(new BlockId(1, 1, i / 2)));
          }
        };
    var threads = new ArrayList<Thread>();
    for (Runnable each : List.of(looking, storing, looking)) {
      Thread thread = Thread.ofPlatform().unstarted(each);
      thread.setUncaughtExceptionHandler((_, thrown) -> failure.set(thrown));
      threads.add(thread);
    }
    threads.forEach(Thread::start);
    for (Thread thread : threads) {
      thread.join();
    }
    assertEquals(null, failure.get());
    store.sync();
    assertEquals(count, listed(store).size());
    assertEquals(count, store.usage().blocks());
  }

  @Test
  void aBlockStoredByManyAtOnceIsThereOnce() throws InterruptedException {
    var failure = new AtomicReference<Throwable>();
    var threads = new ArrayList<Thread>();
    for (int t = 0; t < 4; t++) {
      Kind kind = t == 0 ? Kind.CLEAN : Kind.DIRTY;
      Runnable storing =
          () -> {
            for (int i = 0; i < 2000; i++) {
              Bytes.put(store, new BlockId(1, 1, i), 100, kind).close();
            }
          };
      Thread thread = Thread.ofPlatform().unstarted(storing);
      thread.setUncaughtExceptionHandler((_, thrown) -> failure.set(thrown));
      threads.add(thread);
    }
    threads.forEach(Thread::start);
    for (Thread thread : threads) {
      thread.join();
    }
    assertEquals(null, failure.get());
    assertEquals(2000, listed(store).size());
    assertEquals(2000, store.usage().blocks());
  }

  private DiskBlockStore afterKill() throws IOException {
    Path copy = top.resolve("copy");
    try (var all = Files.walk(top.resolve("d"))) {
      for (Path each : all.toList()) {
        Files.copy(each, copy.resolve(top.resolve("d").relativize(each)));
      }
    }
    return fixture("copy").open();
  }

  private StoreFixture fixture(String name) {
    return new StoreFixture(top.resolve(name), 64 << 20, 4096);
  }

  private void put(BlockId id, Kind kind) {
    Bytes.put(store, id, LENGTH, kind).close();
  }

  private static void check(DiskBlockStore where, BlockId id) {
    try (Pinned read = where.read(id, 0, LENGTH).orElseThrow()) {
      Bytes.check(id, 0, read.bytes());
    }
  }

  private static void checkAll(DiskBlockStore where, int count) {
    for (int i = 0; i < count; i++) {
      check(where, new BlockId(1, 1, i));
    }
  }

  private static List<BlockId> listed(DiskBlockStore where) {
    var listed = new ArrayList<BlockId>();
    where.forEach(listed::add);
    return listed;
  }

  private List<Path> segments(String name) throws IOException {
    try (var all = Files.list(top.resolve(name).resolve("segments"))) {
      return all.toList();
    }
  }

  private long segmentBytes(String name) throws IOException {
    long sum = 0;
    for (Path segment : segments(name)) {
      sum += Files.size(segment);
    }
    return sum;
  }

  private static void deleteAll(Path directory) throws IOException {
    try (var all = Files.walk(directory)) {
      for (Path each : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(each);
      }
    }
  }
}
