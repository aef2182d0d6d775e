package io.millrace.node;

import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * One committed change on its way to all who must know. {@code answer} runs once: when all have
 * acknowledged, or earlier where the mutator itself owes an acknowledgement (H7). {@code settled}
 * runs when all have acknowledged or were fenced.
 */
final class Announcement {
  private final AtomicInteger outstanding;
  private final AtomicBoolean answered = new AtomicBoolean();
  private final Map<ClientSession, Set<Long>> open = new ConcurrentHashMap<>();
  private final Runnable answer;
  private final Settled settled;

  /** Gets, per session that answered so, the inodes it has open. */
  @FunctionalInterface
  interface Settled {
    void settled(Map<ClientSession, Set<Long>> open);
  }

  /** The sessions that have the inode open, by what all have answered. */
  static Set<Long> holders(long ino, Map<ClientSession, Set<Long>> open) {
    var holders = new HashSet<Long>();
    open.forEach(
        (session, inodes) -> {
          if (inodes.contains(ino)) {
            holders.add(session.id);
          }
        });
    return holders;
  }

  Announcement(int recipients, Runnable answer, Settled settled) {
    this.outstanding = new AtomicInteger(recipients);
    this.answer = answer;
    this.settled = settled;
  }

  void acknowledged(ClientSession by, Set<Long> openThere) {
    if (!openThere.isEmpty()) {
      open.put(by, openThere);
    }
    if (outstanding.decrementAndGet() == 0) {
      answerNow();
      settled.settled(open);
    }
  }

  void answerNow() {
    if (answered.compareAndSet(false, true)) {
      answer.run();
    }
  }

  boolean answered() {
    return answered.get();
  }
}
