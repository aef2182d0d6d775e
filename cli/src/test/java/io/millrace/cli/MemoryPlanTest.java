package io.millrace.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.cli.MemoryPlan.Asked;
import io.millrace.cli.MemoryPlan.Limit;
import java.util.List;
import org.junit.jupiter.api.Test;

class MemoryPlanTest {
  private static final long MIB = 1L << 20;

  private static Limit limit(long mib, long heapMib, long directMib) {
    return new Limit(mib * MIB, "a test", heapMib * MIB, directMib * MIB);
  }

  private static Asked up(Long l1, Long l2, Long writeBack) {
    return new Asked(true, true, l1, l2, writeBack);
  }

  @Test
  void withEnoughMemoryEverythingHasItsDefault() {
    MemoryPlan plan = MemoryPlan.of(limit(16_384, 256, 128), up(null, null, null));
    assertFalse(plan.isReduced());
    assertEquals(64 * MIB, plan.l1Bytes());
    assertEquals(64 * MIB, plan.l2Bytes());
    assertEquals(64 * MIB, plan.writeBackBytes());
    assertEquals(40 * MIB, plan.borrowedBytes());
  }

  @Test
  void allPartsTogetherStayBelowTheLimit() {
    for (long mib = 460; mib < 1500; mib++) {
      long heap = Math.clamp(mib * 28 / 100, 64, 256);
      long direct = mib < 1024 ? Math.max(32, mib / 8) : 128;
      heap = mib < 1024 ? heap : 256;
      MemoryPlan plan = MemoryPlan.of(limit(mib, heap, direct), up(null, null, null));
      long caches = plan.l1Bytes() + plan.l2Bytes() + plan.writeBackBytes();
      long flowing = 3 * plan.borrowedBytes() + 2 * StoreNode.BUFFER_BYTES;
      long fixed = (128 + 64 + 24 + heap + direct) * MIB;
      assertTrue(caches + flowing + fixed <= mib * MIB, mib + " MiB: " + plan);
      assertTrue(plan.writeBackBytes() >= 8 * MIB && plan.l1Bytes() >= MIB, plan.line());
    }
  }

  @Test
  void aGroupOf512MibIsServed() {
    MemoryPlan plan = MemoryPlan.of(limit(512, 143, 64), up(null, null, null));
    assertTrue(plan.isReduced());
    assertTrue(plan.line().contains("512 MiB") && plan.line().contains("143 MiB"), plan.line());
    assertEquals(
        0, MemoryPlan.of(limit(512, 143, 64), new Asked(true, false, null, null, null)).l2Bytes());
    assertEquals(
        0, MemoryPlan.of(limit(512, 143, 64), new Asked(false, true, null, null, null)).l1Bytes());
  }

  @Test
  void whatWasAskedForIsGivenAndTheRestShrinks() {
    MemoryPlan plan = MemoryPlan.of(limit(640, 179, 80), up(32 * MIB, null, 16 * MIB));
    assertEquals(32 * MIB, plan.l1Bytes());
    assertEquals(16 * MIB, plan.writeBackBytes());
    assertTrue(plan.l2Bytes() < 64 * MIB);
  }

  @Test
  void whatDoesNotFitIsRefusedWithNumbers() {
    var large =
        assertThrows(
            CliException.class,
            () -> MemoryPlan.of(limit(512, 143, 64), up(null, 1024 * MIB, null)));
    for (String part : List.of("512 MiB", "143 MiB", "--l2 1.0 GiB", "--l1 1.0 MiB", "lower")) {
      assertTrue(large.getMessage().contains(part), part + " is not in: " + large.getMessage());
    }
    var small =
        assertThrows(
            CliException.class, () -> MemoryPlan.of(limit(300, 84, 37), up(null, null, null)));
    assertTrue(small.getMessage().contains("MILLRACE_HEAP"), small.getMessage());
  }
}
