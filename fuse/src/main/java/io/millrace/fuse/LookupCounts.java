package io.millrace.fuse;

import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongConsumer;
import java.util.function.ToLongFunction;
import java.util.stream.LongStream;

/**
 * How often the kernel holds each node: every entry, create and readdirplus reply adds one, FORGET
 * takes off. Beside the count a node carries one long for the file system. Safe for any thread.
 *
 * <p>Off the heap, one table per stripe under its own lock: 24 bytes a slot, 30-100 bytes a node,
 * about 50 in the mean, where the kernel needs some 1,400; a table shrinks when seven eighths of it
 * are empty. Invariant: a node is present exactly while its count is above 0.
 */
public final class LookupCounts implements AutoCloseable {
  /** Sees one node during {@link #forEach}, under the stripe's lock: it must not call back. */
  public interface Visitor {
    void node(long nodeid, long count, long value);
  }

  private static final int STRIPE_BITS = 6;

  public static final int PARTS = 1 << STRIPE_BITS;

  private static final int FULL_PERCENT_MIN = 40;
  private static final int FULL_PERCENT_MAX = 75;

  private final Stripe[] stripes = new Stripe[PARTS];
  private volatile LongConsumer onNew = nodeid -> {};

  public LookupCounts() {
    int range = FULL_PERCENT_MAX - FULL_PERCENT_MIN;
    for (int i = 0; i < stripes.length; i++) {
      stripes[i] = new Stripe(FULL_PERCENT_MIN + range * i / (stripes.length - 1));
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
    long hash = LookupTable.hash(nodeid);
    Stripe stripe = stripe(hash);
    long count;
    stripe.lock.lock();
    try {
      count = stripe.table.increment(nodeid, hash);
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
    long hash = LookupTable.hash(nodeid);
    Stripe stripe = stripe(hash);
    stripe.lock.lock();
    try {
      return stripe.table.decrement(nodeid, hash, n);
    } finally {
      stripe.lock.unlock();
    }
  }

  /** The count, 0 when the kernel doesn't hold the node. */
  public long count(long nodeid) {
    long hash = LookupTable.hash(nodeid);
    Stripe stripe = stripe(hash);
    stripe.lock.lock();
    try {
      int slot = stripe.table.find(nodeid, hash);
      return slot < 0 ? 0 : stripe.table.count(slot);
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
    long hash = LookupTable.hash(nodeid);
    Stripe stripe = stripe(hash);
    stripe.lock.lock();
    try {
      int slot = stripe.table.find(nodeid, hash);
      return slot < 0 ? absent : stripe.table.value(slot);
    } finally {
      stripe.lock.unlock();
    }
  }

  /** Sets the caller's long; false (and nothing set) when the kernel doesn't hold the node. */
  public boolean setValue(long nodeid, long value) {
    long hash = LookupTable.hash(nodeid);
    Stripe stripe = stripe(hash);
    stripe.lock.lock();
    try {
      int slot = stripe.table.find(nodeid, hash);
      if (slot >= 0) {
        stripe.table.setValue(slot, value);
      }
      return slot >= 0;
    } finally {
      stripe.lock.unlock();
    }
  }

  /** The nodes of one of {@link #PARTS} parts: all of them at once might not fit the heap. */
  public long[] nodes(int part) {
    Stripe stripe = stripes[part];
    stripe.lock.lock();
    try {
      var nodes = LongStream.builder();
      stripe.table.forEach((nodeid, count, value) -> nodes.add(nodeid));
      return nodes.build().toArray();
    } finally {
      stripe.lock.unlock();
    }
  }

  /** Visits the nodes, stripe by stripe: not one moment's picture. */
  public void forEach(Visitor visitor) {
    for (Stripe stripe : stripes) {
      stripe.lock.lock();
      try {
        stripe.table.forEach(visitor);
      } finally {
        stripe.lock.unlock();
      }
    }
  }

  /** Number of nodes held. */
  public long size() {
    return sum(LookupTable::used);
  }

  /** Bytes of the tables, for metrics. */
  public long memoryBytes() {
    return sum(LookupTable::memoryBytes);
  }

  private long sum(ToLongFunction<LookupTable> figure) {
    long sum = 0;
    for (Stripe stripe : stripes) {
      stripe.lock.lock();
      try {
        sum += figure.applyAsLong(stripe.table);
      } finally {
        stripe.lock.unlock();
      }
    }
    return sum;
  }

  /** The kernel holds nothing any more: the mount has ended. Gives the memory back. */
  @Override
  public void close() {
    for (Stripe stripe : stripes) {
      stripe.lock.lock();
      try {
        stripe.table.clear();
      } finally {
        stripe.lock.unlock();
      }
    }
  }

  private Stripe stripe(long hash) {
    return stripes[(int) (hash >>> (Long.SIZE - STRIPE_BITS))];
  }

  /** A table with its lock. */
  private static final class Stripe {
    final ReentrantLock lock = new ReentrantLock();
    final LookupTable table;

    Stripe(int fullPercent) {
      table = new LookupTable(fullPercent);
    }
  }
}
