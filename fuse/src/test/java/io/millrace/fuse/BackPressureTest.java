package io.millrace.fuse;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class BackPressureTest {
  private final AtomicInteger waiting = new AtomicInteger();

  @Test
  void theLastFreeWorkerGoesOnToTwiceTheLimit() throws Exception {
    var gate = new BackPressure(2, 2, waiting);
    gate.acquire();
    gate.acquire();
    Thread first = Thread.ofPlatform().start(gate::acquire);
    while (waiting.get() < 1) {
      Thread.onSpinWait();
    }
    gate.acquire();
    gate.acquire();
    assertEquals(4, gate.inUse());
    Thread last = Thread.ofPlatform().start(gate::acquire);
    while (waiting.get() < 2) {
      Thread.onSpinWait();
    }
    gate.release();
    last.join();
    assertTrue(first.isAlive());
    gate.release();
    gate.release();
    gate.release();
    first.join();
    gate.release();
    gate.release();
    assertTrue(gate.awaitIdle(Duration.ZERO));
  }
}
