package io.millrace.core.cache;

/**
 * A block in the cache, and at the same time the pin of every reader that holds it: a hit allocates
 * nothing. Key and memory never change. {@code next}, {@code lastUsed} and {@code mark} are guarded
 * by the stripe's lock.
 */
public final class CachedBlock extends Piece {
  final long a;
  final long b;
  final int c;
  final long hash;
  CachedBlock next;
  volatile long lastUsed;
  private final OffHeapCache cache;
  private volatile int mark;

  CachedBlock(OffHeapCache cache, long a, long b, int c) {
    this.cache = cache;
    this.a = a;
    this.b = b;
    this.c = c;
    this.hash = FrequencySketch.hash(a, b, c);
  }

  boolean hasKey(long a, long b, int c) {
    return this.a == a && this.b == b && this.c == c;
  }

  /**
   * Leaves a number on the block while it is cached.
   *
   * @return whether it had another one; of threads that race, more than one may be told so
   */
  public boolean mark(int newMark) {
    if (mark == newMark) {
      return false;
    }
    mark = newMark;
    return true;
  }

  @Override
  void free() {
    cache.free(this);
  }
}
