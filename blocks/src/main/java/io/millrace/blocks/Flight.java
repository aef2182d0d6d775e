package io.millrace.blocks;

import io.millrace.core.cache.SharedPin;

/**
 * One read of one block that several readers wait for. The leader reads and calls {@link #finish};
 * each follower that joined before gets a pin of its own, or must read for itself. Guarded by its
 * monitor.
 */
final class Flight {
  private int followers;
  private boolean done;
  private SharedPin pin;

  /** False: too late, it is over. */
  synchronized boolean join() {
    if (!done) {
      followers++;
    }
    return !done;
  }

  /**
   * @param result the block, or null: it brought nothing, for whatever reason
   */
  synchronized void finish(SharedPin result) {
    done = true;
    pin = result;
    for (int i = 0; i < followers && result != null; i++) {
      result.pinAgain();
    }
    notifyAll();
  }

  /** Waits for one disk read; an interrupt is kept for later. Null: it brought nothing. */
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
    return pin;
  }
}
