package io.millrace.core.cache;

import java.util.function.Predicate;
import java.util.random.RandomGenerator;

/**
 * Chooses what leaves so that a block of another size finds contiguous room: neighbours inside one
 * slab, the cheapest of a few random places. The price of a place is the sum of its blocks' prices,
 * so one large block must be wanted more than all small ones it would push out together.
 *
 * <p>Guarded by the cache's space lock.
 */
final class VictimChoice {
  private static final int PLACES = 8;

  /** What a block costs: 0 where it is idle. May say {@code limit} for anything that is more. */
  interface Cost {
    int of(CachedBlock block, int limit);
  }

  private final SlabSpace space;
  private final RandomGenerator random;
  private final Cost cost;
  private final Predicate<CachedBlock> evict;
  private long evicted;

  /**
   * @param evict takes a block out of the cache and frees it; false where a reader was faster
   */
  VictimChoice(SlabSpace space, RandomGenerator random, Cost cost, Predicate<CachedBlock> evict) {
    this.space = space;
    this.random = random;
    this.cost = cost;
    this.evict = evict;
  }

  long evicted() {
    return evicted;
  }

  /**
   * Empties a place for {@code length} bytes.
   *
   * @param costLimit what the victims cost together must be less
   * @return false: no such place was found, or readers pinned a victim meanwhile
   */
  boolean makeRoom(int length, int costLimit) {
    int units = SlabSpace.units(length);
    Slab cheapest = null;
    long cheapestWindow = 0;
    int limit = costLimit;
    for (int i = 0; i < PLACES && limit > 0; i++) {
      Slab slab = space.anySlab(random);
      if (slab.count() > 0 && slab.totalUnits >= units) {
        long window = slab.window(random.nextInt(slab.count()), units);
        int price = price(slab, window, limit);
        if (price < limit) {
          limit = price;
          cheapest = slab;
          cheapestWindow = window;
        }
      }
    }
    return cheapest != null && evictAll(cheapest, cheapestWindow);
  }

  /** At least {@code limit} where it is too much, or a block there is in use. */
  private int price(Slab slab, long window, int limit) {
    int sum = 0;
    for (int i = from(window); i < to(window) && sum < limit; i++) {
      Piece piece = slab.piece(i);
      sum = piece.evictable() ? sum + cost.of((CachedBlock) piece, limit) : limit;
    }
    return sum;
  }

  private boolean evictAll(Slab slab, long window) {
    int first = from(window);
    for (int left = to(window) - first; left > 0; left--) {
      if (!evict.test((CachedBlock) slab.piece(first))) {
        return false;
      }
      evicted++;
    }
    return true;
  }

  private static int from(long window) {
    return (int) (window >>> 32);
  }

  private static int to(long window) {
    return (int) window;
  }
}
