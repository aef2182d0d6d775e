package io.millrace.fuse;

/**
 * The detached replies by their unique number, so that INTERRUPT finds them. Chains run through the
 * replies themselves: registering allocates nothing. Safe for any thread.
 *
 * <p>An INTERRUPT may overtake the registration, because another worker reads it: such numbers are
 * kept in a ring and looked up when a reply is registered. Numbers never come twice, so stale ones
 * are harmless; the effect of the ring running over ({@value #EARLY} interrupts of requests that
 * are being served inline) is one interrupt ignored.
 */
final class PendingReplies {
  private static final int BUCKETS = 256;
  private static final int EARLY = 1024;

  private static final class Bucket {
    DetachedReply head;
  }

  private final Bucket[] buckets = new Bucket[BUCKETS];
  private final long[] early = new long[EARLY];
  private int earlyNext;
  private volatile int earlySeen;

  PendingReplies() {
    for (int i = 0; i < BUCKETS; i++) {
      buckets[i] = new Bucket();
    }
  }

  private Bucket bucket(long unique) {
    return buckets[(int) ((unique * 0x9E3779B97F4A7C15L) >>> 56)];
  }

  void register(DetachedReply reply) {
    Bucket bucket = bucket(reply.unique());
    synchronized (bucket) {
      reply.previous = null;
      reply.next = bucket.head;
      if (bucket.head != null) {
        bucket.head.previous = reply;
      }
      bucket.head = reply;
    }
    if (earlySeen > 0 && takeEarly(reply.unique())) {
      reply.interrupt();
    }
  }

  void remove(DetachedReply reply) {
    Bucket bucket = bucket(reply.unique());
    synchronized (bucket) {
      if (reply.previous != null) {
        reply.previous.next = reply.next;
      } else if (bucket.head == reply) {
        bucket.head = reply.next;
      }
      if (reply.next != null) {
        reply.next.previous = reply.previous;
      }
      reply.next = reply.previous = null;
    }
  }

  /** Interrupts the request with this number, now or as soon as it is detached. */
  void interrupt(long unique) {
    DetachedReply reply = find(unique);
    if (reply == null) {
      addEarly(unique);
      reply = find(unique);
      if (reply == null || !takeEarly(unique)) {
        return;
      }
    }
    reply.interrupt();
  }

  private DetachedReply find(long unique) {
    Bucket bucket = bucket(unique);
    synchronized (bucket) {
      DetachedReply reply = bucket.head;
      while (reply != null && reply.unique() != unique) {
        reply = reply.next;
      }
      return reply;
    }
  }

  private void addEarly(long unique) {
    synchronized (early) {
      early[earlyNext] = unique;
      earlyNext = (earlyNext + 1) % EARLY;
      earlySeen = 1;
    }
  }

  private boolean takeEarly(long unique) {
    synchronized (early) {
      for (int i = 0; i < EARLY; i++) {
        if (early[i] == unique) {
          early[i] = 0;
          return true;
        }
      }
      return false;
    }
  }

  /** Interrupts all; for the end of a session. */
  void interruptAll() {
    for (Bucket bucket : buckets) {
      var found = new java.util.ArrayList<DetachedReply>();
      synchronized (bucket) {
        for (DetachedReply r = bucket.head; r != null; r = r.next) {
          found.add(r);
        }
      }
      found.forEach(DetachedReply::interrupt);
    }
  }

  int size() {
    int sum = 0;
    for (Bucket bucket : buckets) {
      synchronized (bucket) {
        for (DetachedReply r = bucket.head; r != null; r = r.next) {
          sum++;
        }
      }
    }
    return sum;
  }
}
