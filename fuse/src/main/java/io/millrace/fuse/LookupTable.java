package io.millrace.fuse;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * One stripe of {@link LookupCounts}: open addressing with linear probing, three longs a slot: node
 * (0: empty), count, value. Not thread-safe: the stripe's owner locks.
 *
 * <p>Off the heap, since it grows with the kernel's inode cache, which has the machine's memory for
 * limit and not the heap's; the smallest table needs no release.
 */
final class LookupTable {
  private static final int SLOTS_MIN = 16;
  private static final long SLOT_BYTES = 24;
  private static final long COUNT = 8;
  private static final long VALUE = 16;

  private final int fullPercent;
  private MemorySegment memory;
  private Arena arena;
  private int slots;
  private int used;

  /**
   * @param fullPercent how full it gets before it doubles; tables of one set differ in it, so that
   *     they don't all double at the same moment
   */
  LookupTable(int fullPercent) {
    this.fullPercent = fullPercent;
    clear();
  }

  /** Forgets all nodes and releases the memory; it can be used again. */
  void clear() {
    Arena before = arena;
    allocate(SLOTS_MIN);
    used = 0;
    if (before != null) {
      before.close();
    }
  }

  int used() {
    return used;
  }

  long memoryBytes() {
    return slots * SLOT_BYTES;
  }

  static long hash(long nodeid) {
    long h = nodeid * 0x9E3779B97F4A7C15L;
    return h ^ (h >>> 29);
  }

  /** The slot of a node, or minus one minus the slot where it would go. */
  int find(long nodeid, long hash) {
    int mask = slots - 1;
    int slot = (int) hash & mask;
    for (long key = key(slot); key != 0; key = key(slot)) {
      if (key == nodeid) {
        return slot;
      }
      slot = (slot + 1) & mask;
    }
    return -1 - slot;
  }

  long count(int slot) {
    return memory.get(JAVA_LONG, slot * SLOT_BYTES + COUNT);
  }

  long value(int slot) {
    return memory.get(JAVA_LONG, slot * SLOT_BYTES + VALUE);
  }

  void setValue(int slot, long value) {
    memory.set(JAVA_LONG, slot * SLOT_BYTES + VALUE, value);
  }

  /** The new count. */
  long increment(long nodeid, long hash) {
    int slot = find(nodeid, hash);
    if (slot >= 0) {
      long count = count(slot) + 1;
      memory.set(JAVA_LONG, slot * SLOT_BYTES + COUNT, count);
      return count;
    }
    if ((used + 1L) * 100 > (long) slots * fullPercent) {
      resize(slots * 2);
      slot = find(nodeid, hash);
    }
    put(-1 - slot, nodeid, 1, 0);
    used++;
    return 1;
  }

  /** What remains; 0: the node is gone with its value; -1: it was not there. */
  long decrement(long nodeid, long hash, long n) {
    int slot = find(nodeid, hash);
    if (slot < 0) {
      return -1;
    }
    long left = count(slot) - n;
    if (left > 0) {
      memory.set(JAVA_LONG, slot * SLOT_BYTES + COUNT, left);
      return left;
    }
    remove(slot);
    return 0;
  }

  void forEach(LookupCounts.Visitor visitor) {
    for (int slot = 0; slot < slots; slot++) {
      if (key(slot) != 0) {
        visitor.node(key(slot), count(slot), value(slot));
      }
    }
  }

  private long key(int slot) {
    return memory.get(JAVA_LONG, slot * SLOT_BYTES);
  }

  private void put(int slot, long key, long count, long value) {
    long at = slot * SLOT_BYTES;
    memory.set(JAVA_LONG, at, key);
    memory.set(JAVA_LONG, at + COUNT, count);
    memory.set(JAVA_LONG, at + VALUE, value);
  }

  /** Closes the gap by moving back what probed past it, so that no tombstones pile up. */
  private void remove(int slot) {
    int mask = slots - 1;
    int gap = slot;
    for (int next = (gap + 1) & mask; key(next) != 0; next = (next + 1) & mask) {
      int home = (int) hash(key(next)) & mask;
      if (((next - home) & mask) >= ((next - gap) & mask)) {
        put(gap, key(next), count(next), value(next));
        gap = next;
      }
    }
    put(gap, 0, 0, 0);
    used--;
    if (slots > SLOTS_MIN && used * 8L < slots) {
      resize(slots / 2);
    }
  }

  private void resize(int slotsAfter) {
    MemorySegment before = memory;
    Arena arenaBefore = arena;
    int slotsBefore = slots;
    allocate(slotsAfter);
    for (long at = 0; at < slotsBefore * SLOT_BYTES; at += SLOT_BYTES) {
      long key = before.get(JAVA_LONG, at);
      if (key != 0) {
        long count = before.get(JAVA_LONG, at + COUNT);
        put(-1 - find(key, hash(key)), key, count, before.get(JAVA_LONG, at + VALUE));
      }
    }
    if (arenaBefore != null) {
      arenaBefore.close();
    }
  }

  @SuppressWarnings("MustBeClosedChecker") // closed when another one takes its place
  private void allocate(int count) {
    if (count == SLOTS_MIN) {
      arena = null;
      memory = Arena.ofAuto().allocate(count * SLOT_BYTES, Long.BYTES);
    } else {
      arena = Arena.ofShared();
      memory = arena.allocate(count * SLOT_BYTES, Long.BYTES);
    }
    slots = count;
  }
}
