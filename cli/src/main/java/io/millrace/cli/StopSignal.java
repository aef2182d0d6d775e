package io.millrace.cli;

import java.util.concurrent.CountDownLatch;

/**
 * Lets a server end in order when the process is told to end (TERM, INT): the JVM's shutdown waits
 * until the server has closed everything, which is when this is closed.
 */
final class StopSignal implements AutoCloseable {
  private final CountDownLatch closed = new CountDownLatch(1);
  private final Thread hook;

  /**
   * @param stop makes the server's main thread leave its wait; must not block
   */
  StopSignal(Runnable stop) {
    hook =
        new Thread(
            () -> {
              stop.run();
              awaitClosed();
            },
            "millrace-stop");
    Runtime.getRuntime().addShutdownHook(hook);
  }

  private void awaitClosed() {
    try {
      closed.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() {
    closed.countDown();
  }
}
