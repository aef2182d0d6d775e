package io.millrace.core.cache;

/**
 * Temporary memory of a {@link BufferPool}, pinned once by whoever took it. Writable until it is
 * first shared.
 */
public final class Buffer extends Piece {
  private final BufferPool pool;

  Buffer(BufferPool pool) {
    this.pool = pool;
  }

  @Override
  void free() {
    pool.free(this);
  }
}
