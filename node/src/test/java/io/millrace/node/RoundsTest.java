package io.millrace.node;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class RoundsTest {
  private static final long HOUR_MILLIS = 3_600_000;

  @Test
  void goesOnAfterFailuresOfAnyKind() throws Exception {
    var begun = new AtomicInteger();
    var third = new CountDownLatch(1);
    try (var rounds =
        new Rounds(
            "test",
            1,
            () -> {
              switch (begun.incrementAndGet()) {
                case 1 -> throw new FsException(Errno.ENOSPC, "full");
                case 2 -> throw new IllegalStateException("a bug");
                default -> third.countDown();
              }
              return HOUR_MILLIS;
            })) {
      rounds.start();
      assertTrue(third.await(20, TimeUnit.SECONDS));
    }
  }

  /** A disk that stays full must not keep a core busy. */
  @Test
  void restsAfterAFailureUntilItIsWoken() throws Exception {
    var begun = new AtomicInteger();
    var rounds =
        new Rounds(
            "test",
            HOUR_MILLIS,
            () -> {
              begun.incrementAndGet();
              throw new FsException(Errno.ENOSPC, "full");
            });
    rounds.start();
    rounds.wake();
    NodeFixture.assertEventually(() -> begun.get() > 0, "a round");
    int before = begun.get();
    rounds.wake();
    NodeFixture.assertEventually(() -> begun.get() > before, "another");
    rounds.close();
    assertTrue(begun.get() <= before + 2, "one for each wake");
    assertTrue(rounds.stopped());
  }
}
