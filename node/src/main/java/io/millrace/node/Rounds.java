package io.millrace.node;

import java.util.concurrent.TimeUnit;

/**
 * Work of the background that is done again and again on a thread of its own until it is closed. A
 * round that fails is logged and comes again after a rest: nothing but {@link #close} ends the
 * thread.
 */
final class Rounds implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger(Rounds.class.getName());
  private static final long STOP_MILLIS = 5000;

  /** One round. */
  interface Round {
    /**
     * @return milliseconds to rest before the next
     */
    long run() throws InterruptedException;
  }

  private final Round round;
  private final long restAfterFailureMillis;
  private final Object wake = new Object();
  private final Thread thread;
  private boolean asked;
  private volatile boolean stopped;

  /**
   * @param name of the thread
   */
  Rounds(String name, long restAfterFailureMillis, Round round) {
    this.round = round;
    this.restAfterFailureMillis = restAfterFailureMillis;
    this.thread = Thread.ofPlatform().daemon().name(name).unstarted(this::run);
  }

  void start() {
    thread.start();
  }

  /** Ends the rest, or lets the next one end at once. */
  void wake() {
    synchronized (wake) {
      asked = true;
      wake.notifyAll();
    }
  }

  /** A round that takes long asks, and ends. */
  boolean stopped() {
    return stopped;
  }

  private void run() {
    try {
      while (!stopped) {
        rest(next());
      }
    } catch (InterruptedException e) {
      // closed
    }
  }

  private long next() throws InterruptedException {
    try {
      return round.run();
    } catch (RuntimeException e) {
      if (!stopped) {
        LOG.log(System.Logger.Level.WARNING, thread.getName() + ": not done this time", e);
      }
      return restAfterFailureMillis;
    }
  }

  private void rest(long millis) throws InterruptedException {
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
    synchronized (wake) {
      for (long left = millis; !asked && left > 0; left = millisUntil(end)) {
        wake.wait(left);
      }
      asked = false;
    }
  }

  private static long millisUntil(long nanoTime) {
    return TimeUnit.NANOSECONDS.toMillis(nanoTime - System.nanoTime());
  }

  @Override
  public void close() {
    stopped = true;
    wake();
    thread.interrupt();
    try {
      thread.join(STOP_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
