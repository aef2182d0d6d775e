package io.millrace.core.lock;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.core.lock.LockTable.Outcome;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** The table against a model byte by byte, and the rules one by one. */
final class LockTableTest {
  private static final LockKey FILE = new LockKey(7, LockSpace.FCNTL);
  private static final LockKey OTHER = new LockKey(8, LockSpace.FCNTL);
  private static final LockKey WHOLE = new LockKey(7, LockSpace.FLOCK);
  private static final LockOwner A = new LockOwner(1, 1);
  private static final LockOwner B = new LockOwner(1, 2);
  private static final LockOwner C = new LockOwner(2, 1);

  private final List<Long> granted = new ArrayList<>();
  private LockTable<Long> table = table(LockLimits.DEFAULT);

  private LockTable<Long> table(LockLimits limits) {
    return new LockTable<>(
        limits,
        (wait, outcome) -> {
          assertEquals(Outcome.GRANTED, outcome);
          granted.add(wait.asker());
        });
  }

  private static LockRange read(long start, long end) {
    return new LockRange(start, end, false, 1);
  }

  private static LockRange write(long start, long end) {
    return new LockRange(start, end, true, 1);
  }

  private Outcome waitFor(LockKey key, LockOwner owner, LockRange range, long ticket) {
    return table.setOrWait(key, owner, range, ticket, ticket);
  }

  @Test
  void rangesSplitAndMergeAsInTheKernel() {
    assertEquals(Outcome.GRANTED, table.set(FILE, A, write(0, 99)));
    assertTrue(table.unlock(FILE, A, 40, 59));
    assertEquals(2, table.size());
    assertEquals(Outcome.GRANTED, table.set(FILE, B, write(40, 59)));
    assertEquals(Outcome.CONFLICT, table.set(FILE, B, read(39, 39)));
    assertEquals(new LockRange(60, 99, true, 1), table.conflict(FILE, B, read(50, 70)).range());
    assertTrue(table.unlock(FILE, B, 0, LockRange.TO_END));
    assertEquals(Outcome.GRANTED, table.set(FILE, A, write(40, 59)));
    assertEquals(1, table.size());
    assertEquals(Outcome.GRANTED, table.set(FILE, A, read(10, 19)));
    assertEquals(3, table.size());
    assertEquals(Outcome.GRANTED, table.set(FILE, B, read(10, 19)));
    assertTrue(table.covers(FILE, A, read(0, 99)));
    assertFalse(table.covers(FILE, A, write(0, 99)));
    assertEquals(Outcome.GRANTED, table.set(FILE, A, read(200, LockRange.TO_END)));
    assertEquals(Outcome.CONFLICT, table.set(FILE, C, write(1L << 60, 1L << 60)));
  }

  @Test
  void waitingRequestsAreServedInTheirOrder() {
    table.set(FILE, A, read(0, 9));
    assertEquals(Outcome.WAITS, waitFor(FILE, B, write(0, 9), 1));
    assertEquals(Outcome.WAITS, waitFor(FILE, C, read(0, 9), 2), "not past the one who waits");
    assertEquals(Outcome.GRANTED, table.set(FILE, new LockOwner(3, 3), read(0, 9)), "no wait");
    table.drop(3);
    table.unlock(FILE, A, 0, 9);
    assertEquals(List.of(1L), granted);
    table.unlock(FILE, B, 0, 9);
    assertEquals(List.of(1L, 2L), granted);
  }

  /** The queue alone must never be what holds up one that others wait for. */
  @Test
  void whoHoldsALockPassesTheQueue() {
    table.set(FILE, A, read(0, 9));
    assertEquals(Outcome.WAITS, waitFor(FILE, B, write(0, 19), 1));
    assertEquals(Outcome.GRANTED, waitFor(FILE, A, read(10, 19), 2));
    assertEquals(Outcome.WAITS, waitFor(FILE, C, read(10, 19), 3));
    assertEquals(Outcome.GRANTED, table.set(OTHER, C, read(0, 0)), "now it holds one");
    assertEquals(List.of(3L), granted);
  }

  @Test
  void deadlocksAcrossFilesAreRefused() {
    table.set(FILE, A, write(0, 0));
    table.set(OTHER, B, write(0, 0));
    table.set(FILE, C, write(5, 5));
    assertEquals(Outcome.WAITS, waitFor(OTHER, A, write(0, 0), 1));
    assertEquals(Outcome.WAITS, waitFor(FILE, B, read(5, 5), 2));
    assertEquals(Outcome.DEADLOCK, waitFor(FILE, C, read(0, 0), 3), "C for A for B for C");
    assertEquals(Outcome.CONFLICT, table.set(FILE, C, read(0, 0)), "who does not wait, does not");
    table.cancel(1, 2);
    assertEquals(Outcome.WAITS, waitFor(FILE, C, read(0, 0), 3));
  }

  @Test
  void flockLetsGoBeforeItAsksForAnother() {
    LockRange shared = read(0, LockRange.TO_END);
    LockRange exclusive = write(0, LockRange.TO_END);
    table.set(WHOLE, A, shared);
    table.set(WHOLE, B, shared);
    assertEquals(Outcome.WAITS, waitFor(WHOLE, A, exclusive, 1));
    assertEquals(Outcome.WAITS, waitFor(WHOLE, B, exclusive, 2), "no deadlock: A has let go");
    assertEquals(List.of(1L), granted);
    assertEquals(Outcome.CONFLICT, table.set(WHOLE, C, shared));
    assertEquals(Outcome.GRANTED, table.set(FILE, C, exclusive), "fcntl does not see flock");
  }

  @Test
  void aRequestAskedAgainHasOnePlace() {
    table.set(FILE, A, write(0, 9));
    assertEquals(Outcome.WAITS, table.setOrWait(FILE, B, write(0, 9), 1, 10L));
    assertEquals(Outcome.WAITS, table.setOrWait(FILE, B, write(0, 9), 1, 11L));
    assertEquals(1, table.waiting());
    table.unlock(FILE, A, 0, 9);
    assertEquals(List.of(11L), granted);
    assertNull(table.cancel(1, 1));
  }

  @Test
  void aClientThatGoesLeavesNothing() {
    table.set(FILE, A, write(0, 9));
    table.set(WHOLE, A, write(0, LockRange.TO_END));
    assertEquals(Outcome.WAITS, waitFor(FILE, C, write(0, 9), 1));
    assertTrue(table.isAwaited(1));
    assertFalse(table.isAwaited(2));
    table.set(OTHER, C, write(0, 0));
    assertEquals(Outcome.WAITS, waitFor(OTHER, B, write(0, 0), 2));
    LockTable.Dropped<Long> dropped = table.drop(1);
    assertEquals(java.util.Set.of(7L), dropped.inodes());
    assertEquals(2L, dropped.waits().getFirst().asker());
    assertEquals(List.of(1L), granted);
    table.drop(2);
    assertEquals(0, table.size() + table.waiting());
  }

  @Test
  void limitsRefuse() {
    table = table(new LockLimits(3, 2, 2, 1));
    table.set(FILE, A, write(0, 9));
    assertTrue(table.unlock(FILE, A, 5, 5));
    assertEquals(Outcome.FULL, table.set(FILE, B, write(20, 20)), "two of one client");
    assertFalse(table.unlock(FILE, A, 7, 7), "a third by cutting one in two");
    assertEquals(Outcome.GRANTED, table.set(FILE, C, write(20, 20)));
    assertEquals(Outcome.FULL, table.set(FILE, new LockOwner(3, 1), write(30, 30)), "three of all");
    assertEquals(Outcome.WAITS, waitFor(FILE, B, write(20, 20), 1));
    assertEquals(Outcome.FULL, waitFor(FILE, A, write(20, 20), 2));
    assertTrue(table.unlock(FILE, A, 0, LockRange.TO_END));
  }

  private record Step(LockModel model, SplittableRandom random, long number) {
    LockKey key() {
      return new LockKey(
          random.nextInt(2), random.nextInt(4) == 0 ? LockSpace.FLOCK : LockSpace.FCNTL);
    }

    LockOwner owner() {
      return new LockOwner(random.nextInt(2), random.nextInt(3));
    }

    LockRange range(LockKey key) {
      boolean exclusive = random.nextBoolean();
      if (key.space() == LockSpace.FLOCK) {
        return new LockRange(0, LockRange.TO_END, exclusive, 0);
      }
      int start = random.nextInt(LockModel.BYTES - 1);
      boolean toEnd = random.nextInt(5) == 0;
      int end = start + random.nextInt(LockModel.BYTES - 1 - start);
      return new LockRange(start, toEnd ? LockRange.TO_END : end, exclusive, 0);
    }
  }

  @Test
  void randomRequestsEndAsInTheModel() {
    long seed = Long.getLong("seed", System.nanoTime());
    try {
      for (int round = 0; round < 300; round++) {
        randomRound(new SplittableRandom(seed + round));
      }
    } catch (AssertionError | RuntimeException e) {
      throw new AssertionError("replay with -Dseed=" + seed, e);
    }
  }

  private void randomRound(SplittableRandom random) {
    granted.clear();
    table = table(LockLimits.DEFAULT);
    var model = new LockModel();
    for (long number = 1; number <= 200; number++) {
      granted.clear();
      step(new Step(model, random, number));
      model.assertSettled();
      assertEquals(model.queue.size(), table.waiting());
      compareHeld(model);
    }
    table.drop(0);
    table.drop(1);
    assertEquals(0, table.size() + table.waiting());
  }

  private void step(Step step) {
    LockKey key = step.key();
    LockOwner owner = step.owner();
    LockRange range = step.range(key);
    LockModel model = step.model;
    switch (step.random.nextInt(12)) {
      case 0, 1, 2 -> {
        Outcome outcome = table.set(key, owner, range);
        assertEquals(model.set(key, owner, range, granted), outcome);
      }
      case 3, 4, 5, 6 -> {
        Outcome outcome = waitFor(key, owner, range, step.number);
        assertEquals(model.setOrWait(key, owner, range, step.number, granted), outcome);
      }
      case 7, 8, 9 -> {
        assertTrue(table.unlock(key, owner, range.start(), range.end()));
        model.unlock(key, owner, range, granted);
      }
      case 10 -> {
        long ticket = step.random.nextLong(step.number);
        boolean known = table.cancel(owner.session(), ticket) != null;
        assertEquals(model.cancel(owner.session(), ticket, granted), known);
      }
      default -> {
        if (step.random.nextInt(4) == 0) {
          table.drop(owner.session());
          model.drop(owner.session(), granted);
        }
      }
    }
  }

  private void compareHeld(LockModel model) {
    for (int file = 0; file < 4; file++) {
      var key = new LockKey(file / 2, file % 2 == 0 ? LockSpace.FLOCK : LockSpace.FCNTL);
      for (int who = 0; who < 6; who++) {
        var owner = new LockOwner(who / 3, who % 3);
        int[] bytes = model.of(key, owner);
        for (int at = 0; at < LockModel.BYTES; at++) {
          LockRange own = table.own(key, owner, at, at);
          int kind = own == null ? 0 : own.exclusive() ? 2 : 1;
          assertEquals(bytes[at], kind, key + " " + owner + " at " + at);
        }
      }
    }
  }
}
