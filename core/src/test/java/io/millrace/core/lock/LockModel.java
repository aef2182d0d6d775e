package io.millrace.core.lock;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The same rules told byte by byte, for files of {@value #BYTES} bytes, of which the last stands
 * for all that follow: no ranges, no splitting, no bookkeeping that could be wrong. Which of
 * several waiting requests comes first it takes from the table, and checks that each was due.
 */
final class LockModel {
  static final int BYTES = 13;

  record Wait(LockKey key, LockOwner owner, LockRange range, long ticket) {}

  /** 0 none, 1 shared, 2 exclusive, by byte. */
  private final Map<LockKey, Map<LockOwner, int[]>> held = new HashMap<>();

  final List<Wait> queue = new ArrayList<>();

  int[] of(LockKey key, LockOwner owner) {
    return held.computeIfAbsent(key, k -> new HashMap<>())
        .computeIfAbsent(owner, k -> new int[BYTES]);
  }

  private static int last(LockRange range) {
    return (int) Math.min(range.end(), BYTES - 1);
  }

  private void put(LockKey key, LockOwner owner, LockRange range, int kind) {
    for (int i = (int) range.start(); i <= last(range); i++) {
      of(key, owner)[i] = kind;
    }
  }

  Set<LockOwner> blockers(LockKey key, LockOwner owner, LockRange range) {
    var found = new HashSet<LockOwner>();
    held.getOrDefault(key, Map.of())
        .forEach(
            (other, bytes) -> {
              for (int i = (int) range.start(); i <= last(range); i++) {
                if (!other.equals(owner) && (range.exclusive() ? bytes[i] > 0 : bytes[i] > 1)) {
                  found.add(other);
                }
              }
            });
    return found;
  }

  private boolean holdsAnything(LockOwner owner) {
    boolean any = false;
    for (var file : held.entrySet()) {
      for (int kind : file.getValue().getOrDefault(owner, new int[0])) {
        any |= kind > 0 && file.getKey().space() == LockSpace.FCNTL;
      }
    }
    return any;
  }

  private boolean blocked(Wait wait, List<Wait> before) {
    if (!blockers(wait.key, wait.owner, wait.range).isEmpty()) {
      return true;
    }
    boolean queues = wait.key.space() == LockSpace.FLOCK || !holdsAnything(wait.owner);
    return queues
        && before.stream()
            .anyMatch(
                w ->
                    w.key.equals(wait.key)
                        && !w.owner.equals(wait.owner)
                        && w.range.conflicts(wait.range));
  }

  /** Grants in this order, as far as each is due. */
  private void settle(List<Long> granted) {
    while (!granted.isEmpty() && isDue(granted.getFirst())) {
      Wait wait = queue.remove(place(granted.removeFirst()));
      put(wait.key, wait.owner, wait.range, wait.range.exclusive() ? 2 : 1);
    }
  }

  private int place(long ticket) {
    int place = 0;
    while (queue.get(place).ticket != ticket) {
      place++;
    }
    return place;
  }

  private boolean isDue(long ticket) {
    int place = place(ticket);
    return !blocked(queue.get(place), queue.subList(0, place));
  }

  private void settleAll(List<Long> granted) {
    settle(granted);
    assertEquals(List.of(), granted, "granted, and not due");
  }

  void assertSettled() {
    for (int i = 0; i < queue.size(); i++) {
      assertTrue(blocked(queue.get(i), queue.subList(0, i)), "due, and not granted");
    }
  }

  private void letGoFirst(LockKey key, LockOwner owner, LockRange range) {
    if (key.space() == LockSpace.FLOCK && of(key, owner)[0] != (range.exclusive() ? 2 : 1)) {
      of(key, owner)[0] = 0;
      put(key, owner, range, 0);
    }
  }

  LockTable.Outcome set(LockKey key, LockOwner owner, LockRange range, List<Long> granted) {
    letGoFirst(key, owner, range);
    boolean free = blockers(key, owner, range).isEmpty();
    if (free) {
      put(key, owner, range, range.exclusive() ? 2 : 1);
    }
    settleAll(granted);
    return free ? LockTable.Outcome.GRANTED : LockTable.Outcome.CONFLICT;
  }

  LockTable.Outcome setOrWait(
      LockKey key, LockOwner owner, LockRange range, long ticket, List<Long> granted) {
    letGoFirst(key, owner, range);
    settle(granted);
    var wait = new Wait(key, owner, range, ticket);
    boolean again = key.space() == LockSpace.FLOCK && of(key, owner)[0] > 0;
    if (again || !blocked(wait, queue)) {
      put(key, owner, range, range.exclusive() ? 2 : 1);
      settleAll(granted);
      return LockTable.Outcome.GRANTED;
    }
    if (key.space() == LockSpace.FCNTL && reaches(wait, owner, new HashSet<>())) {
      return LockTable.Outcome.DEADLOCK;
    }
    queue.add(wait);
    return LockTable.Outcome.WAITS;
  }

  private boolean reaches(Wait wait, LockOwner goal, Set<LockOwner> seen) {
    for (LockOwner owner : blockers(wait.key, wait.owner, wait.range)) {
      if (owner.equals(goal)) {
        return true;
      }
      if (seen.add(owner)) {
        for (Wait theirs : queue) {
          if (theirs.owner.equals(owner)
              && theirs.key.space() == LockSpace.FCNTL
              && reaches(theirs, goal, seen)) {
            return true;
          }
        }
      }
    }
    return false;
  }

  void unlock(LockKey key, LockOwner owner, LockRange range, List<Long> granted) {
    put(key, owner, range, 0);
    settleAll(granted);
  }

  boolean cancel(long session, long ticket, List<Long> granted) {
    boolean found = queue.removeIf(w -> w.ticket == ticket && w.owner.session() == session);
    settleAll(granted);
    return found;
  }

  void drop(long session, List<Long> granted) {
    queue.removeIf(w -> w.owner.session() == session);
    held.values().forEach(file -> file.keySet().removeIf(owner -> owner.session() == session));
    settleAll(granted);
  }
}
