package io.millrace.meta.store;

import java.util.Arrays;
import java.util.Map;
import java.util.function.BiConsumer;

/**
 * Rows in the order of their keys, in leaves of some hundred. An import puts thousands of rows
 * whose keys ascend within each type of row; so the leaf that took the last row of a type is tried
 * first, and a row that comes after all of it costs three comparisons and no search. A null value
 * is none. Owned by the journal's thread.
 *
 * <p>Invariant: leaves form a list in key order, none empty but the only one; every key of a leaf
 * is below all keys of the next.
 */
@SuppressWarnings("ArrayRecordComponent")
final class SortedRows {
  private static final int LEAF_ROWS = 256;
  private static final int FINGERS = 32;

  private static final class Leaf {
    final byte[][] keys = new byte[LEAF_ROWS][];
    final byte[][] values = new byte[LEAF_ROWS][];
    int size;
    Leaf before;
    Leaf next;

    boolean holds(byte[] key) {
      return size > 0
          && Arrays.compareUnsigned(keys[0], key) <= 0
          && (next == null || Arrays.compareUnsigned(key, next.keys[0]) < 0);
    }

    /** Index of the key, or -1 - where it belongs. */
    int find(byte[] key) {
      if (size == 0 || Arrays.compareUnsigned(keys[size - 1], key) < 0) {
        return -1 - size;
      }
      return Arrays.binarySearch(keys, 0, size, key, KeyOrder.INSTANCE);
    }

    void insert(int at, byte[] key, byte[] value) {
      System.arraycopy(keys, at, keys, at + 1, size - at);
      System.arraycopy(values, at, values, at + 1, size - at);
      keys[at] = key;
      values[at] = value;
      size++;
    }

    void cut(int from, int to) {
      System.arraycopy(keys, to, keys, from, size - to);
      System.arraycopy(values, to, values, from, size - to);
      Arrays.fill(keys, size - (to - from), size, null);
      Arrays.fill(values, size - (to - from), size, null);
      size -= to - from;
    }

    Map.Entry<byte[], byte[]> entry(int at) {
      return Map.entry(keys[at], values[at]);
    }
  }

  /** By type of row: where its last row went. */
  private final Leaf[] fingers = new Leaf[FINGERS];

  /** In key order; {@code index[0, leaves)} is in use. */
  private Leaf[] index = {new Leaf()};

  private int leaves = 1;
  private int size;

  int size() {
    return size;
  }

  void clear() {
    Leaf first = index[0];
    first.cut(0, first.size);
    first.next = null;
    Arrays.fill(index, 1, leaves, null);
    leaves = 1;
    size = 0;
    Arrays.fill(fingers, null);
  }

  byte[] get(byte[] key) {
    Leaf leaf = leafFor(key);
    int at = leaf.find(key);
    return at < 0 ? null : leaf.values[at];
  }

  /** Returns the value before; null for none. */
  byte[] put(byte[] key, byte[] value) {
    Leaf leaf = leafFor(key);
    int at = leaf.find(key);
    if (at >= 0) {
      byte[] before = leaf.values[at];
      leaf.values[at] = value;
      return before;
    }
    int place = -1 - at;
    if (leaf.size == LEAF_ROWS) {
      Leaf upper = split(leaf, place);
      if (place >= leaf.size) {
        place -= leaf.size;
        leaf = upper;
      }
    }
    leaf.insert(place, key, value);
    fingers[finger(key)] = leaf;
    size++;
    return null;
  }

  void remove(byte[] key) {
    Leaf leaf = leafFor(key);
    int at = leaf.find(key);
    if (at < 0) {
      return;
    }
    leaf.cut(at, at + 1);
    size--;
    if (leaf.size == 0 && leaves > 1) {
      unlink(leaf);
    }
  }

  void forEach(BiConsumer<byte[], byte[]> rows) {
    for (Leaf leaf = index[0]; leaf != null; leaf = leaf.next) {
      for (int i = 0; i < leaf.size; i++) {
        rows.accept(leaf.keys[i], leaf.values[i]);
      }
    }
  }

  /** The last row up to {@code key}, or before it; null for none. */
  Map.Entry<byte[], byte[]> floor(byte[] key, boolean inclusive) {
    Leaf leaf = leafFor(key);
    int at = leaf.find(key);
    int place = at < 0 ? -2 - at : inclusive ? at : at - 1;
    if (place >= 0) {
      return leaf.entry(place);
    }
    return leaf.before == null ? null : leaf.before.entry(leaf.before.size - 1);
  }

  /** The first row from {@code key}, or after it; null for none. */
  Map.Entry<byte[], byte[]> ceiling(byte[] key, boolean inclusive) {
    Leaf leaf = leafFor(key);
    int at = leaf.find(key);
    int place = at < 0 ? -1 - at : inclusive ? at : at + 1;
    if (place < leaf.size) {
      return leaf.entry(place);
    }
    return leaf.next == null ? null : leaf.next.entry(0);
  }

  private static int finger(byte[] key) {
    return key.length == 0 ? 0 : key[0] & (FINGERS - 1);
  }

  private Leaf leafFor(byte[] key) {
    Leaf finger = fingers[finger(key)];
    return finger != null && finger.holds(key) ? finger : index[place(key)];
  }

  /** Of the last leaf that begins at or before the key, else of the first. */
  private int place(byte[] key) {
    int low = 0;
    int high = leaves - 1;
    while (low < high) {
      int middle = (low + high + 1) >>> 1;
      if (Arrays.compareUnsigned(index[middle].keys[0], key) <= 0) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    return low;
  }

  /**
   * Makes room at {@code place}: a row after all others begins a leaf, so ascending ones fill it.
   */
  private Leaf split(Leaf leaf, int place) {
    int at = place(leaf.keys[0]);
    var upper = new Leaf();
    int from = place == leaf.size ? leaf.size : leaf.size / 2;
    upper.size = leaf.size - from;
    System.arraycopy(leaf.keys, from, upper.keys, 0, upper.size);
    System.arraycopy(leaf.values, from, upper.values, 0, upper.size);
    leaf.cut(from, leaf.size);
    upper.before = leaf;
    upper.next = leaf.next;
    if (upper.next != null) {
      upper.next.before = upper;
    }
    leaf.next = upper;
    if (leaves == index.length) {
      index = Arrays.copyOf(index, 2 * leaves);
    }
    System.arraycopy(index, at + 1, index, at + 2, leaves - at - 1);
    index[at + 1] = upper;
    leaves++;
    return upper;
  }

  /** An empty leaf has no key to be found by: it is looked for by itself. */
  private void unlink(Leaf leaf) {
    int at = 0;
    while (index[at] != leaf) {
      at++;
    }
    System.arraycopy(index, at + 1, index, at, leaves - at - 1);
    index[--leaves] = null;
    if (leaf.before != null) {
      leaf.before.next = leaf.next;
    }
    if (leaf.next != null) {
      leaf.next.before = leaf.before;
    }
    for (int i = 0; i < FINGERS; i++) {
      fingers[i] = fingers[i] == leaf ? null : fingers[i];
    }
  }
}
