package io.millrace.fuse;

import static java.util.stream.Collectors.toSet;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class LookupCountsTest {
  private record Held(long count, long value) {}

  private final LookupCounts counts = new LookupCounts();

  @Test
  void behavesAsAMapUnderRandomUse() {
    long seed = Long.getLong("seed", System.nanoTime());
    try {
      compareWithMap(new SplittableRandom(seed));
    } catch (Throwable t) {
      throw new AssertionError("replay with -Dseed=" + seed, t);
    }
  }

  private void compareWithMap(SplittableRandom random) {
    Map<Long, Held> model = new HashMap<>();
    for (int step = 0; step < 200_000; step++) {
      // Phases of growth and decay, nodes that differ only in high or only in low bits.
      long node = (1 + random.nextLong(3000)) << (random.nextInt(2) * 40);
      boolean grow = random.nextInt(10) < (step / 40_000 % 2 == 0 ? 7 : 2);
      Held held = model.get(node);
      if (grow) {
        long count = held == null ? 1 : held.count + 1;
        assertEquals(count, counts.increment(node));
        counts.setValue(node, step);
        model.put(node, new Held(count, step));
      } else {
        long n = 1L + random.nextInt(3);
        long left = held == null ? -1 : Math.max(0, held.count - n);
        assertEquals(left, counts.decrement(node, n));
        if (left == 0) {
          model.remove(node);
        } else if (left > 0) {
          model.put(node, new Held(left, held.value));
        }
      }
    }
    assertEquals(model.size(), counts.size());
    Map<Long, Held> seen = new HashMap<>();
    counts.forEach((node, count, value) -> seen.put(node, new Held(count, value)));
    assertEquals(model, seen);
    var parts = IntStream.range(0, LookupCounts.PARTS).mapToObj(counts::nodes);
    assertEquals(model.keySet(), parts.flatMapToLong(LongStream::of).boxed().collect(toSet()));
    model.forEach((node, held) -> assertEquals(held.count, counts.count(node)));
  }

  @Test
  void memoryGoesWithTheNodes() {
    long empty = counts.memoryBytes();
    for (long i = 1; i <= 100_000; i++) {
      counts.increment(i);
    }
    assertTrue(counts.memoryBytes() < 110 * 100_000L, () -> "" + counts.memoryBytes());
    for (long i = 1; i <= 100_000; i++) {
      assertEquals(0, counts.decrement(i, 1));
    }
    assertEquals(empty, counts.memoryBytes());
  }

  @Test
  void heapDoesNotGrowWithTheNodes() {
    var heap = ManagementFactory.getMemoryMXBean();
    System.gc();
    long before = heap.getHeapMemoryUsage().getUsed();
    for (long i = 1; i <= 1_000_000; i++) {
      counts.increment(i);
    }
    System.gc();
    long grown = heap.getHeapMemoryUsage().getUsed() - before;
    assertTrue(grown < 4_000_000, () -> grown + " bytes for " + counts.size() + " nodes");
    assertTrue(counts.memoryBytes() < 70_000_000, () -> "" + counts.memoryBytes());
    counts.close();
    assertEquals(0, counts.size());
    assertEquals(new LookupCounts().memoryBytes(), counts.memoryBytes());
  }

  @Test
  void valueEndsWithTheNode() {
    assertFalse(counts.setValue(5, 1));
    assertEquals(-7, counts.value(5, -7));
    counts.increment(5);
    assertEquals(0, counts.value(5, -7));
    assertTrue(counts.setValue(5, 9));
    counts.decrement(5, 1);
    counts.increment(5);
    assertEquals(0, counts.value(5, -7));
    assertThrows(IllegalArgumentException.class, () -> counts.increment(0));
  }

  @Test
  void threadsCountExactly() throws Exception {
    var threads = new ArrayList<Thread>();
    for (int t = 0; t < 4; t++) {
      threads.add(
          Thread.ofPlatform()
              .start(
                  () -> {
                    for (int round = 0; round < 20; round++) {
                      for (long node = 1; node <= 1000; node++) {
                        counts.increment(node);
                        counts.increment(node);
                      }
                      for (long node = 1; node <= 1000; node++) {
                        counts.decrement(node, 1);
                      }
                    }
                  }));
    }
    for (Thread thread : threads) {
      thread.join();
    }
    counts.forEach((node, count, _) -> assertEquals(80, count, () -> "node " + node));
    assertEquals(1000, counts.size());
  }
}
