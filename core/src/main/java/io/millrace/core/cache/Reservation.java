package io.millrace.core.cache;

import java.lang.foreign.MemorySegment;

/**
 * Room in the cache that its one owner fills, then publishes or abandons, exactly one of both. Not
 * thread-safe. Until published no reader sees it.
 */
public final class Reservation {
  private final OffHeapCache cache;
  private final CachedBlock block;
  private boolean ended;

  Reservation(OffHeapCache cache, CachedBlock block) {
    this.cache = cache;
    this.block = block;
  }

  /** As many bytes as were reserved; contents unspecified. */
  public MemorySegment bytes() {
    return block.bytes();
  }

  /**
   * Makes the block visible. Where another thread published the same key first, that block stays
   * and this one's memory is given back.
   *
   * @return the cached block, pinned for the caller
   */
  public CachedBlock publish() {
    end();
    return cache.publish(block);
  }

  /** Hands the filled bytes to the caller without making them visible; freed when closed. */
  public SharedPin detach() {
    end();
    return block;
  }

  public void abandon() {
    end();
    block.close();
  }

  private void end() {
    if (ended) {
      throw new IllegalStateException("reservation used twice");
    }
    ended = true;
  }
}
