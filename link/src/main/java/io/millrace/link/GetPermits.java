package io.millrace.link;

import io.millrace.core.api.ContentSource.Urgency;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;

/**
 * The limit of content GETs in flight, given out by urgency (H31): a waiting reader goes before
 * read-ahead, that before preload; and background work never takes the last quarter, so that a
 * reader does not wait for it. Any thread. Invariant: {@code 0 <= free <= most}.
 */
final class GetPermits {
  private final int kept;
  private final Map<Urgency, Deque<Ticket>> queues = new EnumMap<>(Urgency.class);
  private int free;

  GetPermits(int most) {
    this.free = most;
    this.kept = most / 4;
    for (Urgency urgency : Urgency.values()) {
      queues.put(urgency, new ArrayDeque<>());
    }
  }

  /** One request for a permit, by one thread at a time. Guarded by the permits it belongs to. */
  static final class Ticket {
    private Urgency urgency;
    private boolean queued;
    private Thread waiter;
    private volatile boolean granted;

    Ticket(Urgency urgency) {
      this.urgency = urgency;
    }
  }

  void acquire(Ticket ticket) throws InterruptedException {
    synchronized (this) {
      ticket.granted = false;
      ticket.queued = true;
      ticket.waiter = Thread.currentThread();
      queues.get(ticket.urgency).add(ticket);
      grant();
    }
    while (!ticket.granted) {
      LockSupport.park(this);
      if (Thread.interrupted()) {
        giveUp(ticket);
        throw new InterruptedException();
      }
    }
  }

  private synchronized void giveUp(Ticket ticket) {
    if (ticket.granted) {
      free++;
      grant();
    } else {
      queues.get(ticket.urgency).remove(ticket);
      ticket.queued = false;
    }
  }

  synchronized void release() {
    free++;
    grant();
  }

  /** Somebody more urgent now waits for the same block. */
  synchronized void raise(Ticket ticket, Urgency urgency) {
    if (urgency.compareTo(ticket.urgency) >= 0) {
      return;
    }
    if (ticket.queued) {
      queues.get(ticket.urgency).remove(ticket);
      queues.get(urgency).add(ticket);
    }
    ticket.urgency = urgency;
    grant();
  }

  private void grant() {
    for (Map.Entry<Urgency, Deque<Ticket>> queue : queues.entrySet()) {
      int floor = queue.getKey() == Urgency.READER ? 0 : kept;
      while (free > floor && !queue.getValue().isEmpty()) {
        Ticket ticket = queue.getValue().poll();
        ticket.queued = false;
        ticket.granted = true;
        free--;
        LockSupport.unpark(ticket.waiter);
      }
    }
  }
}
