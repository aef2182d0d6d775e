package io.millrace.node;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * After a start nobody knows which leases clients still trust: acknowledgements of mutations wait
 * until every session of the life before has come back (and so dropped what it cached), or its
 * lease has run out (H11). Any thread.
 */
final class RestartGrace {
  private final Set<Long> expected = new HashSet<>();
  private final List<Held> held = new ArrayList<>();
  private volatile boolean over;

  private record Held(long session, Runnable answer) {}

  synchronized void expect(long session) {
    expected.add(session);
  }

  /** A session that came back, or ended. */
  void returned(long session) {
    if (!over) {
      release(session);
    }
  }

  /** The lease time has passed. */
  void over() {
    over = true;
    release(0);
  }

  /** Runs the answer now, or once no session but the asking one is missing. */
  void hold(long session, Runnable answer) {
    if (!over) {
      synchronized (this) {
        if (!over && othersMissing(session)) {
          held.add(new Held(session, answer));
          return;
        }
      }
    }
    answer.run();
  }

  private void release(long returned) {
    List<Held> free;
    synchronized (this) {
      expected.remove(returned);
      over |= expected.isEmpty();
      free = held.stream().filter(h -> over || !othersMissing(h.session)).toList();
      held.removeAll(free);
    }
    free.forEach(h -> h.answer.run());
  }

  private boolean othersMissing(long session) {
    return expected.size() > (expected.contains(session) ? 1 : 0);
  }
}
