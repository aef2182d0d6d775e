package io.millrace.core.cache;

import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.locks.ReentrantLock;
import java.util.random.RandomGenerator;

/**
 * Immutable blocks in off-heap memory under a hard byte limit: L1 on nodes, L2 in clients. Keyed by
 * (long, long, int). Safe for many threads; a hit takes one short lock and allocates nothing.
 *
 * <p>What it keeps suits shuffled epochs: it fills once and then keeps what it has (docs/decisions/
 * 0003-cache-admission.md). A block that is not admitted gets no room here: its reader uses a
 * {@link BufferPool}. Memory of a block is used again only after its last pin is closed.
 *
 * <p>Locks: {@code spaceLock} guards the memory, each {@link Stripe} its table; a stripe's lock may
 * be taken under {@code spaceLock}, never the other way round.
 */
public final class OffHeapCache implements AutoCloseable {
  private static final int STRIPES = 16;
  private static final int STRIPE_SHIFT = 60;

  /** Uses are counted this often per cached block before all counts are halved. */
  private static final int USES_PER_HALVING = 10;

  /**
   * Counts this close are a tie. In a running epoch the counts of equal blocks differ by one, and
   * by one more after a halving.
   */
  private static final int TIE = 2;

  private static final int EVICTION_TRIES = 4;

  /** Counters since start, and bytes now. A hit or miss is one counted look-up. */
  public record Stats(
      long usedBytes,
      long capacityBytes,
      long blocks,
      long hits,
      long misses,
      long admitted,
      long refused,
      long evicted) {}

  private final SlabSpace space;
  private final VictimChoice victims;
  private final FrequencySketch sketch;
  private final ReuseClock clock = new ReuseClock();
  private final Stripe[] stripes = new Stripe[STRIPES];
  private final ReentrantLock spaceLock = new ReentrantLock();
  private long admitted;
  private long refused;
  private volatile boolean closed;
  private boolean regionClosed;

  /**
   * @param limitBytes hard limit on block memory, at least 4 KiB. The sketch takes 0.2 % more.
   */
  public OffHeapCache(long limitBytes) {
    this(limitBytes, new SplittableRandom());
  }

  /**
   * @param random which victims are looked at
   */
  public OffHeapCache(long limitBytes, RandomGenerator random) {
    space = new SlabSpace(limitBytes);
    sketch = new FrequencySketch(limitBytes / SlabSpace.MIN_BYTES);
    for (int i = 0; i < STRIPES; i++) {
      stripes[i] = new Stripe();
    }
    victims = new VictimChoice(space, random, this::cost, this::evict);
  }

  /** The block, pinned, or null where it is not cached. Counts as one use of the block. */
  public CachedBlock pin(long a, long b, int c) {
    return pin(a, b, c, Use.COUNTED);
  }

  public CachedBlock pin(long a, long b, int c, Use use) {
    long hash = FrequencySketch.hash(a, b, c);
    Stripe stripe = stripe(hash);
    CachedBlock block = stripe.pin(a, b, c, hash, use, clock);
    if (use == Use.COUNTED || (use == Use.COUNTED_IF_HIT && block != null)) {
      sketch.increment(hash);
      if (stripe == stripes[0]) {
        sketch.fade(stripe.ticks(), USES_PER_HALVING * (long) Math.max(stripe.size(), STRIPES));
      }
    }
    return block;
  }

  public boolean contains(long a, long b, int c) {
    long hash = FrequencySketch.hash(a, b, c);
    return stripe(hash).contains(a, b, c, hash);
  }

  /**
   * Room for a block. Empty where it is not admitted, is larger than 4 MiB (or the limit), or all
   * memory is pinned. Never blocks for memory. Two threads may reserve one key.
   */
  public Optional<Reservation> reserve(long a, long b, int c, int length, Admission admission) {
    if (length <= 0 || length > space.largestBytes()) {
      return Optional.empty();
    }
    var block = new CachedBlock(this, a, b, c);
    spaceLock.lock();
    try {
      if (closed || !place(block, length, admission)) {
        refused++;
        return Optional.empty();
      }
      admitted++;
      return Optional.of(new Reservation(this, block));
    } finally {
      spaceLock.unlock();
    }
  }

  /** Drops a block; readers keep their pins. */
  public void remove(long a, long b, int c) {
    long hash = FrequencySketch.hash(a, b, c);
    CachedBlock block = stripe(hash).remove(a, b, c, hash);
    if (block != null) {
      drop(block);
    }
  }

  public Stats stats() {
    long hits = 0;
    long misses = 0;
    long blocks = 0;
    for (Stripe stripe : stripes) {
      hits += stripe.hits();
      misses += stripe.misses();
      blocks += stripe.size();
    }
    spaceLock.lock();
    try {
      return new Stats(
          space.usedBytes(),
          space.capacityBytes(),
          blocks,
          hits,
          misses,
          admitted,
          refused,
          victims.evicted());
    } finally {
      spaceLock.unlock();
    }
  }

  /** Largest block that can ever be cached, in bytes. */
  public int largestBytes() {
    return space.largestBytes();
  }

  /** Drops everything. The memory goes back to the system when the last pin is closed. */
  @Override
  public void close() {
    spaceLock.lock();
    try {
      if (closed) {
        return;
      }
      closed = true;
    } finally {
      spaceLock.unlock();
    }
    for (Stripe stripe : stripes) {
      stripe.removeAll(this::drop);
    }
    closeWhenUnused();
  }

  CachedBlock publish(CachedBlock block) {
    CachedBlock first = stripe(block.hash).publish(block);
    if (first != block) {
      block.close();
    }
    if (closed) {
      remove(block.a, block.b, block.c);
    }
    return first;
  }

  void free(CachedBlock block) {
    spaceLock.lock();
    try {
      space.free(block);
    } finally {
      spaceLock.unlock();
    }
    closeWhenUnused();
  }

  private Stripe stripe(long hash) {
    return stripes[(int) (hash >>> STRIPE_SHIFT)];
  }

  private boolean place(CachedBlock block, int length, Admission admission) {
    if (space.place(block, length)) {
      return true;
    }
    int wanted =
        switch (admission) {
          case ASKED_FOR -> Math.max(1, sketch.estimate(block.hash) - TIE);
          case SPARE_ROOM -> 1;
        };
    // who may only replace what is idle mostly finds nothing: one look
    for (int tries = wanted == 1 ? EVICTION_TRIES - 1 : 0; tries < EVICTION_TRIES; tries++) {
      if (victims.makeRoom(length, wanted) && space.place(block, length)) {
        return true;
      }
    }
    return false;
  }

  /** Idle blocks cost nothing; others at least 1, however rarely they were used. */
  private int cost(CachedBlock block, int limit) {
    if (stripe(block.hash).idle(block, clock)) {
      return 0;
    }
    return limit == 1 ? 1 : Math.max(1, sketch.estimate(block.hash));
  }

  private boolean evict(CachedBlock block) {
    if (!block.claim()) {
      return false;
    }
    stripe(block.hash).unlink(block);
    space.free(block);
    return true;
  }

  private void drop(CachedBlock block) {
    if (block.leaveCache()) {
      free(block);
    }
  }

  private void closeWhenUnused() {
    if (!closed) {
      return;
    }
    spaceLock.lock();
    try {
      if (space.pieceCount() == 0 && !regionClosed) {
        regionClosed = true;
        space.closeRegion();
      }
    } finally {
      spaceLock.unlock();
    }
  }
}
