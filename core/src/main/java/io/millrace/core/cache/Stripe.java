package io.millrace.core.cache;

import java.util.function.Consumer;

/**
 * One of the cache's hash tables, with its own lock (its monitor) and its own clock of uses.
 * Invariant: at most one block per key is linked.
 */
final class Stripe {
  private CachedBlock[] table = new CachedBlock[16];
  private int size;
  private long ticks;
  private long hits;
  private long misses;

  /** The block, pinned, or null. A counted look-up moves the clock. */
  synchronized CachedBlock pin(long a, long b, int c, long hash, Use use, ReuseClock clock) {
    CachedBlock block = find(a, b, c, hash);
    boolean hit = block != null && block.tryPin();
    if (use == Use.COUNTED || (use == Use.COUNTED_IF_HIT && hit)) {
      ticks++;
      hits += hit ? 1 : 0;
      misses += hit ? 0 : 1;
      if (hit) {
        clock.reused(ticks - block.lastUsed, ticks);
        block.lastUsed = ticks;
      }
    }
    return hit ? block : null;
  }

  synchronized boolean contains(long a, long b, int c, long hash) {
    return find(a, b, c, hash) != null;
  }

  /** Links the block, or returns the one (pinned) that was first. */
  synchronized CachedBlock publish(CachedBlock block) {
    CachedBlock first = find(block.a, block.b, block.c, block.hash);
    if (first != null) {
      if (first.tryPin()) {
        return first;
      }
      unlink(first);
    }
    if (size >= table.length) {
      grow();
    }
    block.lastUsed = ticks;
    block.enterCache();
    int index = index(block.hash);
    block.next = table[index];
    table[index] = block;
    size++;
    return block;
  }

  synchronized CachedBlock remove(long a, long b, int c, long hash) {
    CachedBlock block = find(a, b, c, hash);
    if (block != null) {
      unlink(block);
    }
    return block;
  }

  /** No effect where it is not linked any more. */
  synchronized void unlink(CachedBlock block) {
    int index = index(block.hash);
    CachedBlock before = null;
    for (CachedBlock at = table[index]; at != null; before = at, at = at.next) {
      if (at == block) {
        if (before == null) {
          table[index] = at.next;
        } else {
          before.next = at.next;
        }
        at.next = null;
        size--;
        return;
      }
    }
  }

  synchronized void removeAll(Consumer<CachedBlock> removed) {
    for (int i = 0; i < table.length; i++) {
      while (table[i] != null) {
        CachedBlock block = table[i];
        unlink(block);
        removed.accept(block);
      }
    }
  }

  synchronized boolean idle(CachedBlock block, ReuseClock clock) {
    return clock.idle(ticks - block.lastUsed, size);
  }

  synchronized long ticks() {
    return ticks;
  }

  synchronized int size() {
    return size;
  }

  synchronized long hits() {
    return hits;
  }

  synchronized long misses() {
    return misses;
  }

  private CachedBlock find(long a, long b, int c, long hash) {
    CachedBlock block = table[index(hash)];
    while (block != null && !block.hasKey(a, b, c)) {
      block = block.next;
    }
    return block;
  }

  private int index(long hash) {
    return (int) (hash >>> 8) & (table.length - 1);
  }

  private void grow() {
    CachedBlock[] old = table;
    table = new CachedBlock[old.length * 2];
    for (CachedBlock head : old) {
      CachedBlock block = head;
      while (block != null) {
        CachedBlock following = block.next;
        int index = index(block.hash);
        block.next = table[index];
        table[index] = block;
        block = following;
      }
    }
  }
}
