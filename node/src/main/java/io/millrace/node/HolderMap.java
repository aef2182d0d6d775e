package io.millrace.node;

import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;
import java.util.function.LongConsumer;

/**
 * Inode number to the slots of the sessions that hold a lease on it. Not thread-safe: its {@link
 * LeaseTable} locks. Primitive arrays, 17 bytes a row at a load of at most 3/4; slots from 63 on go
 * to a map of their own, which only a node with that many clients needs.
 *
 * <p>Invariant: a row's mask is never 0; bit 63 is set exactly where {@code wide} has the key.
 */
final class HolderMap {
  private static final int WIDE_FROM = 63;
  private static final long WIDE = 1L << WIDE_FROM;
  private static final int FIRST_CAPACITY = 64;

  private long[] keys = new long[FIRST_CAPACITY];
  private long[] masks = new long[FIRST_CAPACITY];
  private byte[] ages = new byte[FIRST_CAPACITY];
  private final Map<Long, BitSet> wide = new HashMap<>();
  private int size;
  private int hand;

  int size() {
    return size;
  }

  /** Whether the row is new. */
  boolean add(long key, int slot, byte age) {
    if (size >= keys.length / 4 * 3) {
      grow();
    }
    int at = find(key);
    boolean fresh = masks[at] == 0;
    if (fresh) {
      keys[at] = key;
      size++;
    }
    ages[at] = age;
    if (slot < WIDE_FROM) {
      masks[at] |= 1L << slot;
    } else {
      masks[at] |= WIDE;
      wide.computeIfAbsent(key, k -> new BitSet()).set(slot);
    }
    return fresh;
  }

  boolean holds(long key, int slot) {
    long mask = masks[find(key)];
    return slot < WIDE_FROM
        ? (mask >>> slot & 1) != 0
        : (mask & WIDE) != 0 && wide.get(key).get(slot);
  }

  /** Adds the slots that hold the key to {@code slots}. */
  void collect(long key, BitSet slots) {
    long mask = masks[find(key)];
    for (long rest = mask & ~WIDE; rest != 0; rest &= rest - 1) {
      slots.set(Long.numberOfTrailingZeros(rest));
    }
    if ((mask & WIDE) != 0) {
      slots.or(wide.get(key));
    }
  }

  /** Whether the row is gone with it. */
  boolean remove(long key, int slot) {
    int at = find(key);
    return masks[at] != 0 && dropSlot(at, slot);
  }

  void removeAll(int slot) {
    int at = 0;
    while (at < keys.length) {
      // A row that moved into the gap is looked at next.
      boolean moved = masks[at] != 0 && holds(keys[at], slot) && dropSlot(at, slot);
      at += moved ? 0 : 1;
    }
  }

  /** Hands out up to {@code max} keys that were last granted in another age, from a moving hand. */
  int oldest(int max, byte now, LongConsumer out) {
    int found = 0;
    for (int step = 0; step < keys.length && found < max; step++) {
      hand = (hand + 1) & (keys.length - 1);
      if (masks[hand] != 0 && ages[hand] != now) {
        out.accept(keys[hand]);
        found++;
      }
    }
    return found;
  }

  private boolean dropSlot(int at, int slot) {
    if (slot < WIDE_FROM) {
      masks[at] &= ~(1L << slot);
    } else if ((masks[at] & WIDE) != 0) {
      BitSet slots = wide.get(keys[at]);
      slots.clear(slot);
      if (slots.isEmpty()) {
        wide.remove(keys[at]);
        masks[at] &= ~WIDE;
      }
    }
    if (masks[at] != 0) {
      return false;
    }
    size--;
    closeGap(at);
    return true;
  }

  /** Moves later rows of the chain back, so that no search ends early. */
  private void closeGap(int start) {
    int gap = start;
    int last = keys.length - 1;
    for (int next = (gap + 1) & last; masks[next] != 0; next = (next + 1) & last) {
      int home = home(keys[next]);
      if (((next - home) & last) >= ((next - gap) & last)) {
        keys[gap] = keys[next];
        masks[gap] = masks[next];
        ages[gap] = ages[next];
        masks[next] = 0;
        gap = next;
      }
    }
  }

  private int find(long key) {
    int at = home(key);
    while (masks[at] != 0 && keys[at] != key) {
      at = (at + 1) & (keys.length - 1);
    }
    return at;
  }

  private int home(long key) {
    long mixed = key * 0x9E3779B97F4A7C15L;
    return (int) (mixed >>> 33) & (keys.length - 1);
  }

  private void grow() {
    long[] oldKeys = keys;
    long[] oldMasks = masks;
    byte[] oldAges = ages;
    keys = new long[oldKeys.length * 2];
    masks = new long[oldKeys.length * 2];
    ages = new byte[oldKeys.length * 2];
    for (int i = 0; i < oldKeys.length; i++) {
      if (oldMasks[i] != 0) {
        int at = find(oldKeys[i]);
        keys[at] = oldKeys[i];
        masks[at] = oldMasks[i];
        ages[at] = oldAges[i];
      }
    }
  }
}
