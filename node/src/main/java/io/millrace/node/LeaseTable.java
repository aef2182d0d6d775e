package io.millrace.node;

import java.util.BitSet;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Who holds a lease on what: one table for directories, one for content. In memory only, as a
 * restart makes all leases void. Safe for many threads; cut in stripes. Grows to its limit and a
 * quarter more while the oldest are being recalled.
 */
final class LeaseTable {
  private static final int STRIPES = 16;
  private static final int AGES_PER_LIMIT = 8;

  private final HolderMap[] stripes = new HolderMap[STRIPES];
  private final AtomicInteger rows = new AtomicInteger();
  private final AtomicInteger grants = new AtomicInteger();
  private final int limit;

  LeaseTable(int limit) {
    this.limit = limit;
    for (int i = 0; i < STRIPES; i++) {
      stripes[i] = new HolderMap();
    }
  }

  int size() {
    return rows.get();
  }

  boolean overLimit() {
    return rows.get() > limit;
  }

  /** False where the table is full, for a key that nobody holds yet. */
  boolean grant(long key, int slot) {
    HolderMap stripe = stripe(key);
    synchronized (stripe) {
      if (stripe.holds(key, slot)) {
        return true;
      }
      if (rows.get() >= limit + limit / 4 + 1) {
        return false;
      }
      grants.incrementAndGet();
      if (stripe.add(key, slot, age())) {
        rows.incrementAndGet();
      }
      return true;
    }
  }

  /** Adds the holders of the key to {@code slots}. */
  void collect(long key, BitSet slots) {
    HolderMap stripe = stripe(key);
    synchronized (stripe) {
      stripe.collect(key, slots);
    }
  }

  boolean heldByAny(long key) {
    var slots = new BitSet();
    collect(key, slots);
    return !slots.isEmpty();
  }

  boolean heldByOther(long key, int slot) {
    var slots = new BitSet();
    collect(key, slots);
    slots.clear(slot);
    return !slots.isEmpty();
  }

  void release(long key, int slot) {
    HolderMap stripe = stripe(key);
    synchronized (stripe) {
      if (stripe.remove(key, slot)) {
        rows.decrementAndGet();
      }
    }
  }

  void releaseAll(int slot) {
    for (HolderMap stripe : stripes) {
      synchronized (stripe) {
        int before = stripe.size();
        stripe.removeAll(slot);
        rows.addAndGet(stripe.size() - before);
      }
    }
  }

  /** Up to {@code max} keys that have not been granted lately, at most an eighth of the limit. */
  List<Long> oldest(int max) {
    var found = new java.util.ArrayList<Long>();
    for (HolderMap stripe : stripes) {
      synchronized (stripe) {
        stripe.oldest(Math.max(1, max / STRIPES), age(), found::add);
      }
    }
    return found;
  }

  private byte age() {
    return (byte) (grants.get() / Math.max(1, limit / AGES_PER_LIMIT));
  }

  private HolderMap stripe(long key) {
    return stripes[(int) ((key * 0x9E3779B97F4A7C15L) >>> 60) & (STRIPES - 1)];
  }
}
