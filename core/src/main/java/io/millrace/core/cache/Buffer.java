package io.millrace.core.cache;

import io.millrace.core.api.Pinned;

/**
 * Temporary memory of a {@link BufferPool}, pinned once by whoever took it. Writable until it is
 * first shared.
 */
public final class Buffer extends Piece {
  private final BufferPool pool;

  Buffer(BufferPool pool) {
    this.pool = pool;
  }

  /** One more pin on the same bytes; the caller holds one already. Each is closed once. */
  public Pinned pinAgain() {
    share();
    return this;
  }

  @Override
  void free() {
    pool.free(this);
  }
}
