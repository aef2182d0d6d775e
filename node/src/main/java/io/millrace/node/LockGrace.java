package io.millrace.node;

import io.millrace.core.wire.RequestHandler.Responder;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * After a start nobody knows who holds which lock: requests for locks wait until every session of
 * the life before has claimed its own, or its lease has run out (as {@link RestartGrace}). Guarded
 * by the lock of {@link LockRequests}.
 */
final class LockGrace {
  private record Place(long session, long ticket) {}

  private record Held(Runnable ask, Responder responder) {}

  private final Set<Long> expected = new HashSet<>();
  private final Map<Place, Held> held = new LinkedHashMap<>();
  private boolean over;

  void expect(long session) {
    expected.add(session);
  }

  /** Whether the session may still claim what it held. */
  boolean expects(long session) {
    return !over && expected.contains(session);
  }

  /** False where nothing is to be waited for. */
  boolean hold(long session, long ticket, Runnable ask, Responder responder) {
    if (over || expected.isEmpty()) {
      return false;
    }
    held.put(new Place(session, ticket), new Held(ask, responder));
    return true;
  }

  /** Takes back a request that waits; null where there is none. */
  Responder cancel(long session, long ticket) {
    Held request = held.remove(new Place(session, ticket));
    return request == null ? null : request.responder;
  }

  /** Those of one who is gone. */
  List<Responder> dropped(long session) {
    var gone = new ArrayList<Responder>();
    held.entrySet()
        .removeIf(
            entry -> {
              boolean its = entry.getKey().session == session;
              if (its) {
                gone.add(entry.getValue().responder);
              }
              return its;
            });
    return gone;
  }

  /** Gives the requests that may go on. */
  List<Runnable> returned(long session) {
    return expected.remove(session) && expected.isEmpty() ? over() : List.of();
  }

  List<Runnable> over() {
    over = true;
    List<Runnable> free = held.values().stream().map(Held::ask).toList();
    held.clear();
    return free;
  }
}
