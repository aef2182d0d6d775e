package io.millrace.link;

import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/**
 * Keeps two exports from working on one key at a time: the delete of a file that is gone must not
 * take the object of the one that has its name since, and where the store knows no conditional
 * delete nothing else holds it back. Any thread. Locks are taken in their order, so none waits in a
 * circle.
 */
final class KeyLocks {
  private static final int STRIPES = 1024;

  private final ReentrantLock[] locks = new ReentrantLock[STRIPES];

  KeyLocks() {
    Arrays.setAll(locks, i -> new ReentrantLock());
  }

  /**
   * Runs {@code work} once the keys are free.
   *
   * @throws FsException EINTR interrupted before
   */
  <T> T alone(int link, List<String> keys, Supplier<T> work) {
    int[] stripes = stripes(link, keys);
    hold(stripes);
    try {
      return work.get();
    } finally {
      release(stripes, stripes.length);
    }
  }

  private static int[] stripes(int link, List<String> keys) {
    return keys.stream()
        .mapToInt(key -> Math.floorMod(31 * key.hashCode() + link, STRIPES))
        .sorted()
        .distinct()
        .toArray();
  }

  private void hold(int[] stripes) {
    int held = 0;
    try {
      for (; held < stripes.length; held++) {
        locks[stripes[held]].lockInterruptibly();
      }
    } catch (InterruptedException e) {
      release(stripes, held);
      Thread.currentThread().interrupt();
      throw new FsException(e, Errno.EINTR, "interrupted before its turn");
    }
  }

  private void release(int[] stripes, int held) {
    for (int i = held - 1; i >= 0; i--) {
      locks[stripes[i]].unlock();
    }
  }
}
