package io.millrace.core.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class BufferPoolTest {
  private final BufferPool pool = new BufferPool(1 << 20);

  @AfterEach
  void close() {
    pool.close();
  }

  @Test
  void buffersAreWritableAndGivenBackByTheLastPin() {
    Buffer buffer = pool.take(300_000);
    assertEquals(300_000, buffer.bytes().byteSize());
    buffer.bytes().fill((byte) 1);
    SharedPin again = buffer.pinAgain();
    buffer.close();
    assertTrue(pool.stats().usedBytes() >= 300_000);
    again.close();
    assertEquals(0, pool.stats().usedBytes());
  }

  @Test
  void whoAsksAboveTheLimitWaitsForItsTurn() throws Exception {
    Buffer all = pool.take(1 << 20);
    assertNull(pool.take(4096, TimeUnit.MILLISECONDS.toNanos(5)));
    var large = taking(900_000);
    awaitWaiting(1);
    var small = taking(4096);
    awaitWaiting(2);
    all.close();
    large.get(10, TimeUnit.SECONDS).close();
    small.get(10, TimeUnit.SECONDS).close();
    assertEquals(0, pool.stats().usedBytes());
    assertEquals(3, pool.stats().waits());
  }

  @Test
  void anInterruptEndsTheWait() throws Exception {
    Buffer all = pool.take(1 << 20);
    var failure = new CompletableFuture<FsException>();
    Thread waiter =
        Thread.ofVirtual()
            .start(() -> failure.complete(assertThrows(FsException.class, () -> pool.take(4096))));
    awaitWaiting(1);
    waiter.interrupt();
    assertEquals(Errno.EINTR, failure.get(10, TimeUnit.SECONDS).errno());
    all.close();
    pool.take(1 << 20).close();
  }

  @Test
  void whatCanNeverBeGivenIsRefused() {
    assertEquals(
        Errno.EINVAL, assertThrows(FsException.class, () -> pool.take((1 << 20) + 1)).errno());
  }

  private CompletableFuture<Buffer> taking(int length) {
    var taken = new CompletableFuture<Buffer>();
    Thread.ofVirtual().start(() -> taken.complete(pool.take(length)));
    return taken;
  }

  private void awaitWaiting(int threads) {
    while (pool.stats().waiting() < threads) {
      if (Thread.currentThread().isInterrupted()) {
        throw new AssertionError("timed out");
      }
      Thread.onSpinWait();
    }
  }
}
