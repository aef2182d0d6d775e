package io.millrace.node;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

final class HolderMapTest {
  @Test
  void doesWhatAPlainMapDoes() {
    long seed = Long.getLong("seed", System.nanoTime());
    var random = new SplittableRandom(seed);
    var map = new HolderMap();
    Map<Long, BitSet> model = new HashMap<>();
    for (int step = 0; step < 200_000; step++) {
      long key = 1 + random.nextInt(300) * (random.nextBoolean() ? 1L : 1L << 40);
      int slot = random.nextInt(70);
      switch (random.nextInt(10)) {
        case 0, 1, 2, 3 -> {
          assertEquals(!model.containsKey(key), map.add(key, slot, (byte) 0), "seed " + seed);
          model.computeIfAbsent(key, k -> new BitSet()).set(slot);
        }
        case 4, 5, 6, 7 -> {
          BitSet slots = model.getOrDefault(key, new BitSet());
          boolean last = slots.get(slot) && slots.cardinality() == 1;
          slots.clear(slot);
          if (slots.isEmpty()) {
            model.remove(key);
          }
          assertEquals(last, map.remove(key, slot), "seed " + seed);
        }
        case 8 -> check(map, model, key, slot, seed);
        default -> {
          if (random.nextInt(500) == 0) {
            map.removeAll(slot);
            model.values().forEach(slots -> slots.clear(slot));
            model.values().removeIf(BitSet::isEmpty);
          }
        }
      }
      assertEquals(model.size(), map.size(), "seed " + seed);
    }
    model.keySet().forEach(key -> check(map, model, key, 0, seed));
  }

  private static void check(HolderMap map, Map<Long, BitSet> model, long key, int slot, long seed) {
    var slots = new BitSet();
    map.collect(key, slots);
    BitSet expected = model.getOrDefault(key, new BitSet());
    assertEquals(expected, slots, "seed " + seed);
    assertEquals(expected.get(slot), map.holds(key, slot), "seed " + seed);
  }

  @Test
  void theOldestAreThoseOfAnotherAge() {
    var table = new LeaseTable(80);
    for (long key = 1; key <= 81; key++) {
      table.grant(key, 0);
    }
    assertEquals(true, table.overLimit());
    assertEquals(true, table.oldest(64).stream().allMatch(key -> key < 81));
  }

  @Test
  void aFullTableGrantsNothingNew() {
    var table = new LeaseTable(8);
    long granted = java.util.stream.LongStream.range(1, 100).filter(k -> table.grant(k, 3)).count();
    assertEquals(11, granted);
    assertEquals(true, table.grant(1, 3));
    table.releaseAll(3);
    assertEquals(0, table.size());
  }
}
