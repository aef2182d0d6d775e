package io.millrace.link;

import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * A few virtual threads that work on one thing and end together: the first to fail ends the others.
 * Owned by the thread that made it; that thread's interrupt is theirs.
 */
final class Workers implements AutoCloseable {
  private final String name;
  private final List<Thread> threads = new ArrayList<>();
  private Throwable failure;

  Workers(String name, int expected) {
    this.name = name + "-" + expected;
  }

  void start(Runnable work, int copies) {
    for (int i = 0; i < copies; i++) {
      Thread thread = Thread.ofVirtual().name(name).unstarted(() -> guarded(work));
      threads.add(thread);
      thread.start();
    }
  }

  private void guarded(Runnable work) {
    try {
      work.run();
    } catch (RuntimeException | Error e) {
      fail(e);
    }
  }

  private synchronized void fail(Throwable cause) {
    if (failure == null) {
      failure = cause;
      notifyAll();
    }
  }

  private synchronized Throwable failure() {
    return failure;
  }

  /**
   * @throws FsException the first failure of a worker
   */
  void await() throws InterruptedException {
    for (Thread thread : threads) {
      while (thread.isAlive() && failure() == null) {
        thread.join(Duration.ofMillis(100));
      }
    }
    Throwable cause = failure();
    if (cause instanceof FsException e) {
      throw e;
    }
    if (cause != null) {
      throw new FsException(cause, Errno.EIO, "background work failed", "cause", cause);
    }
  }

  /** Interrupts those that still work, and waits for them. */
  @Override
  public void close() {
    threads.forEach(Thread::interrupt);
    boolean interrupted = false;
    for (Thread thread : threads) {
      while (thread.isAlive()) {
        try {
          thread.join();
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
