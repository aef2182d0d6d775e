package io.millrace.core.cache;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class OffHeapCacheTest {
  private static final int MIB = 1 << 20;
  private OffHeapCache cache = new OffHeapCache(8 * MIB);

  @AfterEach
  void close() {
    cache.close();
  }

  @Test
  void aPublishedBlockIsFoundAndAHitIsTheBlockItself() {
    CachedBlock stored = put(1, 5000, (byte) 7);
    CachedBlock found = cache.pin(1, 1, 0);
    assertSame(stored, found, "a hit allocates nothing");
    assertEquals(5000, found.bytes().byteSize());
    assertEquals(7, found.bytes().get(JAVA_BYTE, 4999));
    stored.close();
    found.close();
    assertThrows(IllegalStateException.class, found::close);
    assertNull(cache.pin(2, 1, 0));
    assertEquals(1, cache.stats().hits());
    assertEquals(1, cache.stats().misses());
  }

  @Test
  void whatIsNotPublishedIsNotSeen() {
    Reservation reservation = reserve(1, 4096);
    assertFalse(cache.contains(1, 1, 0));
    reservation.abandon();
    assertThrows(IllegalStateException.class, reservation::publish);
    assertEquals(0, cache.stats().usedBytes());
    reserve(1, 4096).detach().close();
    assertEquals(0, cache.stats().usedBytes());
  }

  @Test
  void theFirstPublishOfAKeyWins() {
    Reservation one = reserve(1, 4096);
    Reservation two = reserve(1, 4096);
    CachedBlock first = one.publish();
    CachedBlock second = two.publish();
    assertSame(first, second);
    first.close();
    second.close();
    assertEquals(4096, cache.stats().usedBytes());
  }

  @Test
  void memoryIsReusedOnlyAfterTheLastPin() {
    CachedBlock pinned = put(1, 8 * 4096, (byte) 1);
    cache.remove(1, 1, 0);
    assertNull(cache.pin(1, 1, 0));
    CachedBlock other = put(1, 4096, (byte) 2);
    assertNotSame(pinned, other);
    assertEquals(1, pinned.bytes().get(JAVA_BYTE, 0));
    assertEquals(9 * 4096, cache.stats().usedBytes());
    pinned.close();
    assertEquals(4096, cache.stats().usedBytes());
    other.close();
  }

  @Test
  void aPieceWastesLessThanOneKibibyte() {
    put(1, 5001, (byte) 0).close();
    assertEquals(5 * 1024, cache.stats().usedBytes());
    put(2, 1, (byte) 0).close();
    assertEquals(9 * 1024, cache.stats().usedBytes());
  }

  @Test
  void theLimitHoldsAndPinnedBlocksStay() {
    var pins = new ArrayList<CachedBlock>();
    for (int i = 0; i < 8; i++) {
      pins.add(put(i + 1, MIB, (byte) i));
    }
    use(100, 30);
    assertTrue(cache.reserve(100, 1, 0, MIB, Admission.ASKED_FOR).isEmpty(), "all is pinned");
    assertEquals(8 * MIB, cache.stats().usedBytes());
    for (int i = 0; i < 8; i++) {
      assertEquals(i, pins.get(i).bytes().get(JAVA_BYTE, MIB - 1));
    }
    pins.forEach(CachedBlock::close);
    assertTrue(cache.reserve(200, 1, 0, MIB, Admission.SPARE_ROOM).isEmpty());
    Reservation admitted = cache.reserve(100, 1, 0, MIB, Admission.ASKED_FOR).orElseThrow();
    admitted.abandon();
    assertEquals(1, cache.stats().evicted());
  }

  @Test
  void aScanOfLargeBlocksDoesNotFlushSmallHotOnes() {
    for (int i = 0; i < 2048; i++) {
      put(i + 1, 4096, (byte) 0).close();
    }
    for (int round = 0; round < 4; round++) {
      for (int i = 0; i < 2048; i++) {
        use(i + 1, 1);
      }
      for (int large = 0; large < 64; large++) {
        use(10_000 + large, 4);
        assertTrue(cache.reserve(10_000 + large, 1, 0, 4 * MIB, Admission.ASKED_FOR).isEmpty());
      }
    }
    assertEquals(2048, cache.stats().blocks());
  }

  @Test
  void blocksAboveTheLargestPieceAreRefused() {
    assertTrue(cache.reserve(1, 1, 0, 4 * MIB + 1, Admission.ASKED_FOR).isEmpty());
    assertEquals(4 * MIB, cache.largestBytes());
  }

  @Test
  void closeWaitsForTheLastPinBeforeMemoryGoes() {
    CachedBlock pinned = put(1, 4096, (byte) 3);
    cache.close();
    assertEquals(3, pinned.bytes().get(JAVA_BYTE, 0));
    MemorySegment bytes = pinned.bytes();
    pinned.close();
    assertThrows(IllegalStateException.class, () -> bytes.get(JAVA_BYTE, 0));
    assertNull(cache.pin(1, 1, 0));
    assertTrue(cache.reserve(1, 1, 0, 10, Admission.ASKED_FOR).isEmpty());
  }

  /** Each block carries its key all over; readers check it while others evict and remove. */
  @Test
  void concurrentUseNeverShowsForeignBytes() throws Exception {
    long seed = Long.getLong("seed", System.nanoTime());
    var tasks = new ArrayList<Callable<Integer>>();
    for (int t = 0; t < 4; t++) {
      var random = new SplittableRandom(seed + t);
      tasks.add(() -> hammer(random));
    }
    try (var threads = Executors.newFixedThreadPool(4)) {
      List<Future<Integer>> results = threads.invokeAll(tasks);
      for (Future<Integer> result : results) {
        assertTrue(result.get() > 0, "replay with -Dseed=" + seed);
      }
    }
    cache.close();
    assertEquals(0, cache.stats().usedBytes(), "a leak; replay with -Dseed=" + seed);
  }

  private int hammer(SplittableRandom random) {
    int good = 0;
    for (int i = 0; i < 30_000; i++) {
      long key = 1 + (long) (random.nextDouble() * random.nextDouble() * 400);
      int length = 4096 + (int) (key * 37 % 200) * 1024;
      CachedBlock block = cache.pin(key, 1, 0);
      if (block == null) {
        block =
            cache
                .reserve(key, 1, 0, length, Admission.ASKED_FOR)
                .map(reservation -> fill(reservation, key))
                .orElse(null);
      }
      if (block != null) {
        assertEquals(length, block.bytes().byteSize());
        long at = random.nextInt(length / 8) * 8L;
        assertEquals(key, block.bytes().get(JAVA_LONG_UNALIGNED, at));
        block.close();
        good++;
      }
      if (random.nextInt(50) == 0) {
        cache.remove(key, 1, 0);
      }
    }
    return good;
  }

  private static CachedBlock fill(Reservation reservation, long key) {
    for (long at = 0; at + 8 <= reservation.bytes().byteSize(); at += 8) {
      reservation.bytes().set(JAVA_LONG_UNALIGNED, at, key);
    }
    return reservation.publish();
  }

  private void use(long key, int times) {
    for (int i = 0; i < times; i++) {
      CachedBlock block = cache.pin(key, 1, 0);
      if (block != null) {
        block.close();
      }
    }
  }

  private Reservation reserve(long key, int length) {
    return cache.reserve(key, 1, 0, length, Admission.ASKED_FOR).orElseThrow();
  }

  private CachedBlock put(long key, int length, byte value) {
    Reservation reservation = reserve(key, length);
    reservation.bytes().fill(value);
    return reservation.publish();
  }
}
