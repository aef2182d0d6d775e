package io.millrace.blocks;

import io.millrace.core.api.BlockId;
import io.millrace.core.cache.FrequencySketch;
import java.util.concurrent.locks.ReentrantLock;

/** Locks for reading and changing one block's row; a thread holds one of them at a time. */
final class KeyLocks {
  private static final int COUNT = 256;
  private final ReentrantLock[] locks = new ReentrantLock[COUNT];

  KeyLocks() {
    for (int i = 0; i < COUNT; i++) {
      locks[i] = new ReentrantLock();
    }
  }

  Held hold(BlockId id) {
    long hash = FrequencySketch.hash(id.ino(), id.version(), id.index());
    ReentrantLock lock = locks[(int) hash & (COUNT - 1)];
    lock.lock();
    return lock::unlock;
  }

  /** For try-with-resources. */
  interface Held extends AutoCloseable {
    @Override
    void close();
  }
}
