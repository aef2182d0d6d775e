package io.millrace.blocks;

import io.millrace.core.cache.SharedPin;

/**
 * One read of one block that several readers wait for. The leader reads and calls {@link #finish};
 * each follower that joined before gets a pin of its own. Guarded by its monitor.
 */
final class Flight {
  private int followers;
  private boolean done;
  private SharedPin pin;
  private RuntimeException failure;

  /** False: too late, it is over. */
  synchronized boolean join() {
    if (!done) {
      followers++;
    }
    return !done;
  }

  /**
   * @param result the block, or null: followers look for themselves
   */
  synchronized void finish(SharedPin result, RuntimeException error) {
    done = true;
    pin = result;
    failure = error;
    for (int i = 0; i < followers && result != null; i++) {
      result.pinAgain();
    }
    notifyAll();
  }

  /** Waits for one disk read; an interrupt is kept for later. */
  synchronized SharedPin await() {
    boolean interrupted = false;
    while (!done) {
      try {
        wait();
      } catch (InterruptedException interrupt) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    if (failure != null) {
      throw failure;
    }
    return pin;
  }
}
