package io.millrace.client.mount;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Set;

/**
 * Notices that the kernel is not done with. Whoever takes a lock waits for those that came before
 * it: what others wrote under the lock must be seen. Any thread.
 */
final class PendingNotices {
  private static final class Waiter {
    private final Set<Object> before;
    private final Runnable then;

    Waiter(Set<Object> before, Runnable then) {
      this.before = before;
      this.then = then;
    }
  }

  private final Set<Object> pending = new HashSet<>();
  private final List<Waiter> waiters = new ArrayList<>();

  synchronized void began(Object notice) {
    pending.add(notice);
  }

  void done(Object notice) {
    var free = new ArrayList<Runnable>(0);
    synchronized (this) {
      pending.remove(notice);
      for (Iterator<Waiter> each = waiters.iterator(); each.hasNext(); ) {
        Waiter waiter = each.next();
        waiter.before.remove(notice);
        if (waiter.before.isEmpty()) {
          each.remove();
          free.add(waiter.then);
        }
      }
    }
    free.forEach(Runnable::run);
  }

  /** The kernel has dropped everything. */
  void allDone() {
    List<Object> all;
    synchronized (this) {
      all = List.copyOf(pending);
    }
    all.forEach(this::done);
  }

  /** Runs now, or when the kernel is done with the notices that are here already. */
  void afterThese(Runnable then) {
    synchronized (this) {
      if (!pending.isEmpty()) {
        waiters.add(new Waiter(new HashSet<>(pending), then));
        return;
      }
    }
    then.run();
  }
}
