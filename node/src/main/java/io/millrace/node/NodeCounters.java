package io.millrace.node;

import io.millrace.core.wire.Op;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.LongAdder;

/** What the node did, for status and for tests that assert cost. Any thread. */
final class NodeCounters {
  /** Counted beside the requests of each operation. */
  enum Event {
    LOOKUP_WITH_CONTENT,
    READ_FROM_MEMORY_INLINE,
    READ_GATHERED,
    BLOCK_LOADED,
    NOTICE_SENT,
    SESSION_FENCED,
    SESSION_EXPIRED,
    GARBAGE_BLOCK_DROPPED,
    LEAKED_BLOCK_DROPPED
  }

  private final Map<Op, LongAdder> requests = new EnumMap<>(Op.class);
  private final Map<Event, LongAdder> events = new EnumMap<>(Event.class);

  NodeCounters() {
    for (Op op : Op.values()) {
      requests.put(op, new LongAdder());
    }
    for (Event event : Event.values()) {
      events.put(event, new LongAdder());
    }
  }

  void request(Op op) {
    requests.get(op).increment();
  }

  void count(Event event) {
    events.get(event).increment();
  }

  void count(Event event, long n) {
    events.get(event).add(n);
  }

  /** {@code node.requests.lookup} and so on, {@code node.lookup_with_content} and so on. */
  Map<String, Long> snapshot() {
    var all = new TreeMap<String, Long>();
    requests.forEach(
        (op, n) -> all.put("node.requests." + op.name().toLowerCase(Locale.ROOT), n.sum()));
    events.forEach((event, n) -> all.put("node." + event.name().toLowerCase(Locale.ROOT), n.sum()));
    return all;
  }
}
