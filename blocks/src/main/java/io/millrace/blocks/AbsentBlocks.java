package io.millrace.blocks;

import io.millrace.core.api.BlockId;
import io.millrace.core.cache.FrequencySketch;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Supplier;

/**
 * Remembers some blocks that the index doesn't have: who loads a block asks for it several times
 * before it is there. Safe for many threads, without locks. Invariant: a block is remembered only
 * if it was looked up after its slot was last written; so {@link #forget}, called after a row was
 * written and before anybody is told, ends every older answer.
 */
final class AbsentBlocks {
  private static final int SLOTS = 4096;

  /** A slot's content; each one is another object, so that an exchange notices any change. */
  private static final class Answer {
    final BlockId absent;

    Answer(BlockId absent) {
      this.absent = absent;
    }
  }

  private final AtomicReferenceArray<Answer> slots = new AtomicReferenceArray<>(SLOTS);

  /** The row, or null; asks the index unless it is known not to have the block. */
  IndexRow look(BlockId id, Supplier<IndexRow> index) {
    int slot = slot(id);
    Answer before = slots.get(slot);
    if (before != null && id.equals(before.absent)) {
      return null;
    }
    IndexRow row = index.get();
    if (row == null) {
      slots.compareAndSet(slot, before, new Answer(id));
    }
    return row;
  }

  /** The index has it, or may have it. */
  void forget(BlockId id) {
    slots.set(slot(id), new Answer(null));
  }

  private static int slot(BlockId id) {
    long hash = FrequencySketch.hash(id.ino(), id.version(), id.index());
    return (int) (hash >>> 32) & (SLOTS - 1);
  }
}
