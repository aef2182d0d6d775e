package io.millrace.meta.store;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** Against the TreeMap that it stands in for. */
class SortedRowsTest {
  private final long seed = Long.getLong("seed", System.nanoTime());
  private final SplittableRandom random = new SplittableRandom(seed);
  private final SortedRows rows = new SortedRows();
  private final TreeMap<byte[], byte[]> model = new TreeMap<>(KeyOrder.INSTANCE);

  @Test
  void randomKeys() {
    for (int i = 0; i < 60_000; i++) {
      step(key(random.nextInt(4), random.nextInt(3000)), i % 20_000 < 12_000 ? 4 : 1);
    }
    checkAll();
  }

  @Test
  void keysThatAscendWithinTheirType() {
    for (int i = 0; i < 5_000; i++) {
      for (int type = 0; type < 3; type++) {
        put(key(type, i));
      }
      look(key(random.nextInt(4), random.nextInt(6000)));
    }
    checkAll();
    for (int i = 5_000; i-- > 0; ) { // as a rollback takes them away
      for (int type = 3; type-- > 0; ) {
        remove(key(type, i));
      }
      look(key(random.nextInt(4), random.nextInt(6000)));
    }
    checkAll();
  }

  @Test
  void isEmptyAfterClear() {
    for (int i = 0; i < 1000; i++) {
      put(key(1, i));
    }
    rows.clear();
    model.clear();
    checkAll();
    put(key(2, 1));
    checkAll();
  }

  private static byte[] key(int type, int number) {
    byte[] key = {(byte) "eikx".charAt(type), (byte) (number >>> 8), (byte) number};
    return number % 7 == 0 ? java.util.Arrays.copyOf(key, 2) : key;
  }

  private void step(byte[] key, int putsPerRemove) {
    if (random.nextInt(putsPerRemove + 3) < putsPerRemove) {
      put(key);
    } else if (random.nextInt(3) > 0) {
      remove(key);
    } else {
      look(key);
    }
  }

  private void put(byte[] key) {
    byte[] value = new byte[] {1};
    assertSame(model.put(key, value), rows.put(key, value), () -> "seed " + seed);
    assertSame(value, rows.get(key), () -> "seed " + seed);
  }

  private void remove(byte[] key) {
    model.remove(key);
    rows.remove(key);
    assertEquals(model.size(), rows.size(), () -> "seed " + seed);
  }

  private void look(byte[] key) {
    assertSame(model.get(key), rows.get(key), () -> "seed " + seed);
    same(model.floorEntry(key), rows.floor(key, true));
    same(model.lowerEntry(key), rows.floor(key, false));
    same(model.ceilingEntry(key), rows.ceiling(key, true));
    same(model.higherEntry(key), rows.ceiling(key, false));
  }

  private void same(Map.Entry<byte[], byte[]> expected, Map.Entry<byte[], byte[]> found) {
    assertArrayEquals(
        expected == null ? null : expected.getKey(),
        found == null ? null : found.getKey(),
        () -> "seed " + seed);
    assertSame(
        expected == null ? null : expected.getValue(), found == null ? null : found.getValue());
  }

  private void checkAll() {
    List<byte[]> keys = new ArrayList<>();
    rows.forEach((key, value) -> keys.add(key));
    assertEquals(model.size(), rows.size());
    assertEquals(model.size(), keys.size(), () -> "seed " + seed);
    int i = 0;
    for (byte[] key : model.keySet()) {
      assertArrayEquals(key, keys.get(i++), () -> "seed " + seed);
    }
  }
}
