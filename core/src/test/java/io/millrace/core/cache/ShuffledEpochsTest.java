package io.millrace.core.cache;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Replacement under the load it is made for: epochs over one data set, shuffled each time. */
class ShuffledEpochsTest {
  private static final int ITEMS = 20_000;
  private final long seed = Long.getLong("seed", System.nanoTime());
  private final SplittableRandom random = new SplittableRandom(seed);

  @Test
  void halfTheDataSetGivesHalfTheHits() {
    try (var cache = new OffHeapCache(ITEMS / 2 * 4096L, random)) {
      for (int epoch = 1; epoch <= 30; epoch++) {
        double rate = epoch(cache, 1, ITEMS, 4096);
        assertTrue(epoch < 3 || rate >= 0.45, said(epoch, rate));
      }
    }
  }

  @Test
  void aTenthOfTheDataSetGivesNearlyATenthOfTheHits() {
    try (var cache = new OffHeapCache(ITEMS / 10 * 4096L, random)) {
      for (int epoch = 1; epoch <= 15; epoch++) {
        double rate = epoch(cache, 1, ITEMS, 4096);
        assertTrue(epoch < 4 || rate >= 0.08, said(epoch, rate));
      }
    }
  }

  @Test
  void mixedSizesFillTheCacheAndStay() {
    try (var cache = new OffHeapCache(64 << 20, random)) {
      for (int epoch = 1; epoch <= 12; epoch++) {
        double rate = epoch(cache, 1, 2_000, 128 << 10);
        assertTrue(epoch < 3 || rate >= 0.40, said(epoch, rate));
      }
      var stats = cache.stats();
      assertTrue(stats.usedBytes() > stats.capacityBytes() * 0.95, stats.toString());
    }
  }

  @Test
  void aNewWorkingSetIsAdoptedWithinAFewEpochs() {
    try (var cache = new OffHeapCache(ITEMS / 2 * 4096L, random)) {
      for (int epoch = 1; epoch <= 8; epoch++) {
        epoch(cache, 1, ITEMS, 4096);
      }
      double rate = 0;
      for (int epoch = 1; epoch <= 6; epoch++) {
        rate = epoch(cache, 2, ITEMS, 4096);
      }
      assertTrue(rate >= 0.40, said(6, rate));
    }
  }

  @Test
  void aRunningJobKeepsItsBlocksBesideAFasterOne() {
    try (var cache = new OffHeapCache(16 << 20, random)) {
      for (int epoch = 1; epoch <= 3; epoch++) {
        epoch(cache, 1, 3_000, 4096);
      }
      double slow = 0;
      for (int epoch = 1; epoch <= 6; epoch++) {
        for (int fast = 0; fast < 20; fast++) {
          epoch(cache, 2, 500, 4096);
        }
        slow = epoch(cache, 1, 3_000, 4096);
      }
      assertTrue(slow >= 0.9, said(6, slow));
    }
  }

  /** One epoch; the hit rate. Sizes above 4 KiB vary from item to item. */
  private double epoch(OffHeapCache cache, long dataSet, int items, int largest) {
    int hits = 0;
    for (int item : shuffled(items)) {
      CachedBlock block = cache.pin(item + 1, dataSet, 0);
      if (block != null) {
        hits++;
        block.close();
      } else {
        int length = largest == 4096 ? 4096 : 4096 + item * 7919 % (largest - 4096);
        cache
            .reserve(item + 1, dataSet, 0, length, Admission.ASKED_FOR)
            .ifPresent(reservation -> reservation.publish().close());
      }
    }
    return (double) hits / items;
  }

  private List<Integer> shuffled(int items) {
    var order = new ArrayList<>(IntStream.range(0, items).boxed().toList());
    for (int i = items - 1; i > 0; i--) {
      int other = random.nextInt(i + 1);
      Integer moved = order.set(i, order.get(other));
      order.set(other, moved);
    }
    return order;
  }

  private String said(int epoch, double rate) {
    return "epoch " + epoch + ": hit rate " + rate + "; replay with -Dseed=" + seed;
  }
}
