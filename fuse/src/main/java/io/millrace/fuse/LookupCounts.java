package io.millrace.fuse;

import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongConsumer;

/**
 * How often the kernel holds each node: every entry, create and readdirplus reply adds one, FORGET
 * takes off. Beside the count a node carries one long and a flags word for the file system. Safe
 * for any thread.
 *
 * <p>Primitive open-addressing tables, one per stripe under its own lock: 28 bytes a slot, 40-110
 * bytes a node; a table shrinks when seven eighths of it are empty. Invariant: a node is present
 * exactly while its count is above 0.
 */
public final class LookupCounts {
  /** Sees one node during {@link #forEach}, under the stripe's lock: it must not call back. */
  public interface Visitor {
    void node(long nodeid, long count, long value, int flags);
  }

  private static final int STRIPE_BITS = 6;
  private static final int SLOTS_MIN = 16;

  private final Stripe[] stripes = new Stripe[1 << STRIPE_BITS];
  private volatile LongConsumer onNew = nodeid -> {};

  public LookupCounts() {
    for (int i = 0; i < stripes.length; i++) {
      stripes[i] = new Stripe();
    }
  }

  /** Sets who is told of each node that was not held, before the kernel learns of it. */
  public void onNew(LongConsumer listener) {
    onNew = listener;
  }

  /** Adds one; gives the new count. */
  public long increment(long nodeid) {
    if (nodeid == 0) {
      throw new IllegalArgumentException("0 is no node");
    }
    long hash = hash(nodeid);
    Stripe stripe = stripe(hash);
    long count;
    stripe.lock.lock();
    try {
      count = stripe.increment(nodeid, hash);
    } finally {
      stripe.lock.unlock();
    }
    if (count == 1) {
      onNew.accept(nodeid);
    }
    return count;
  }

  /**
   * Takes off {@code n}. A node that reaches 0 goes, with its value and flags.
   *
   * @return what remains, or -1 when the node was not there
   */
  public long decrement(long nodeid, long n) {
    long hash = hash(nodeid);
    Stripe stripe = stripe(hash);
    stripe.lock.lock();
    try {
      return stripe.decrement(nodeid, hash, n);
    } finally {
      stripe.lock.unlock();
    }
  }

  /** The count, 0 when the kernel doesn't hold the node. */
  public long count(long nodeid) {
    long hash = hash(nodeid);
    Stripe stripe = stripe(hash);
    stripe.lock.lock();
    try {
      int slot = stripe.find(nodeid, hash);
      return slot < 0 ? 0 : stripe.counts[slot];
    } finally {
      stripe.lock.unlock();
    }
  }

  public boolean contains(long nodeid) {
    return count(nodeid) > 0;
  }

  /**
   * The caller's long of a node, or {@code absent} when the kernel doesn't hold it. 0 until set.
   */
  public long value(long nodeid, long absent) {
    long hash = hash(nodeid);
    Stripe stripe = stripe(hash);
    stripe.lock.lock();
    try {
      int slot = stripe.find(nodeid, hash);
      return slot < 0 ? absent : stripe.values[slot];
    } finally {
      stripe.lock.unlock();
    }
  }

  /** Sets the caller's long; false (and nothing set) when the kernel doesn't hold the node. */
  public boolean setValue(long nodeid, long value) {
    long hash = hash(nodeid);
    Stripe stripe = stripe(hash);
    stripe.lock.lock();
    try {
      int slot = stripe.find(nodeid, hash);
      if (slot >= 0) {
        stripe.values[slot] = value;
      }
      return slot >= 0;
    } finally {
      stripe.lock.unlock();
    }
  }

  /** The caller's flags of a node, 0 when the kernel doesn't hold it. */
  public int flags(long nodeid) {
    return changeFlags(nodeid, 0, 0);
  }

  /** Clears, then sets bits; gives the flags as they were before, 0 when the node is not held. */
  public int changeFlags(long nodeid, int set, int clear) {
    long hash = hash(nodeid);
    Stripe stripe = stripe(hash);
    stripe.lock.lock();
    try {
      int slot = stripe.find(nodeid, hash);
      if (slot < 0) {
        return 0;
      }
      int before = stripe.flags[slot];
      stripe.flags[slot] = (before & ~clear) | set;
      return before;
    } finally {
      stripe.lock.unlock();
    }
  }

  /** Visits the nodes, stripe by stripe: not one moment's picture. */
  public void forEach(Visitor visitor) {
    for (Stripe stripe : stripes) {
      stripe.lock.lock();
      try {
        stripe.forEach(visitor);
      } finally {
        stripe.lock.unlock();
      }
    }
  }

  /** Number of nodes held. */
  public long size() {
    long sum = 0;
    for (Stripe stripe : stripes) {
      sum += stripe.used();
    }
    return sum;
  }

  /** Bytes of the tables, for metrics. */
  public long memoryBytes() {
    long sum = 0;
    for (Stripe stripe : stripes) {
      sum += 28L * stripe.slots();
    }
    return sum;
  }

  private Stripe stripe(long hash) {
    return stripes[(int) (hash >>> (Long.SIZE - STRIPE_BITS))];
  }

  private static long hash(long nodeid) {
    long h = nodeid * 0x9E3779B97F4A7C15L;
    return h ^ (h >>> 29);
  }

  /** One table; all methods under its lock. A key of 0 is an empty slot. */
  private static final class Stripe {
    final ReentrantLock lock = new ReentrantLock();
    long[] keys = new long[SLOTS_MIN];
    long[] counts = new long[SLOTS_MIN];
    long[] values = new long[SLOTS_MIN];
    int[] flags = new int[SLOTS_MIN];
    int used;

    int used() {
      lock.lock();
      try {
        return used;
      } finally {
        lock.unlock();
      }
    }

    int slots() {
      lock.lock();
      try {
        return keys.length;
      } finally {
        lock.unlock();
      }
    }

    /** The slot of a node, or minus one minus the slot where it would go. */
    int find(long nodeid, long hash) {
      int mask = keys.length - 1;
      int slot = (int) hash & mask;
      while (keys[slot] != 0) {
        if (keys[slot] == nodeid) {
          return slot;
        }
        slot = (slot + 1) & mask;
      }
      return -1 - slot;
    }

    long increment(long nodeid, long hash) {
      int slot = find(nodeid, hash);
      if (slot >= 0) {
        return ++counts[slot];
      }
      if ((used + 1) * 3 > keys.length * 2) {
        resize(keys.length * 2);
        slot = find(nodeid, hash);
      }
      put(-1 - slot, nodeid, 1, 0, 0);
      used++;
      return 1;
    }

    long decrement(long nodeid, long hash, long n) {
      int slot = find(nodeid, hash);
      if (slot < 0) {
        return -1;
      }
      long left = counts[slot] - n;
      if (left > 0) {
        counts[slot] = left;
        return left;
      }
      remove(slot);
      return 0;
    }

    private void put(int slot, long key, long count, long value, int flag) {
      keys[slot] = key;
      counts[slot] = count;
      values[slot] = value;
      flags[slot] = flag;
    }

    /** Closes the gap by moving back what probed past it, so that no tombstones pile up. */
    private void remove(int slot) {
      int mask = keys.length - 1;
      int gap = slot;
      for (int next = (gap + 1) & mask; keys[next] != 0; next = (next + 1) & mask) {
        int home = (int) hash(keys[next]) & mask;
        if (((next - home) & mask) >= ((next - gap) & mask)) {
          put(gap, keys[next], counts[next], values[next], flags[next]);
          gap = next;
        }
      }
      put(gap, 0, 0, 0, 0);
      used--;
      if (keys.length > SLOTS_MIN && used * 8 < keys.length) {
        resize(keys.length / 2);
      }
    }

    private void resize(int slots) {
      long[] oldKeys = keys;
      long[] oldCounts = counts;
      long[] oldValues = values;
      int[] oldFlags = flags;
      keys = new long[slots];
      counts = new long[slots];
      values = new long[slots];
      flags = new int[slots];
      for (int i = 0; i < oldKeys.length; i++) {
        if (oldKeys[i] != 0) {
          int slot = -1 - find(oldKeys[i], hash(oldKeys[i]));
          put(slot, oldKeys[i], oldCounts[i], oldValues[i], oldFlags[i]);
        }
      }
    }

    void forEach(Visitor visitor) {
      for (int i = 0; i < keys.length; i++) {
        if (keys[i] != 0) {
          visitor.node(keys[i], counts[i], values[i], flags[i]);
        }
      }
    }
  }
}
