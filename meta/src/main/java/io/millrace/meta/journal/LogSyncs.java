package io.millrace.meta.journal;

import io.millrace.proto.CommandResult;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;

/**
 * Commands that are written and wait for the log's sync: handed over by the journal's thread, taken
 * all at once by the one that syncs, given back with their results to be answered by the journal's
 * thread, in the order they were written. Bounded by the commands that clients may have unanswered.
 *
 * @param <W> what waits
 */
final class LogSyncs<W> {
  private record Written<W>(W waiting, CommandResult result) {}

  private List<Written<W>> asked = new ArrayList<>();
  private final ArrayDeque<Written<W>> done = new ArrayDeque<>();

  /** Taken and not yet done. */
  private int syncing;

  private boolean awake;

  synchronized void add(W waiting, CommandResult result) {
    asked.add(new Written<>(waiting, result));
    notifyAll();
  }

  /** Ends the pauses of {@link #begin} for ever. */
  synchronized void wake() {
    awake = true;
    notifyAll();
  }

  /** Waits until there is something to sync, so long at most; false where there is nothing. */
  synchronized boolean await(long millis) throws InterruptedException {
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
    long left = millis;
    while (asked.isEmpty() && !awake && left > 0) {
      wait(left);
      left = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime());
    }
    return !asked.isEmpty();
  }

  /** A sync that begins after this returns is for all that was added before. */
  synchronized Round begin() {
    List<Written<W>> these = asked;
    asked = new ArrayList<>();
    syncing += these.size();
    return new Round(these);
  }

  /** Those one sync is for. */
  final class Round {
    private final List<Written<W>> these;

    private Round(List<Written<W>> these) {
      this.these = these;
    }

    /**
     * @param failure in place of their results; null: they survive power loss
     */
    void end(CommandResult failure) {
      synchronized (LogSyncs.this) {
        for (Written<W> one : these) {
          done.add(failure == null ? one : new Written<>(one.waiting, failure));
        }
        syncing -= these.size();
      }
    }
  }

  synchronized boolean areLeft() {
    return !asked.isEmpty() || syncing > 0 || !done.isEmpty();
  }

  /** On the journal's thread. */
  void forEachDone(BiConsumer<W, CommandResult> answer) {
    for (Written<W> one = next(); one != null; one = next()) {
      answer.accept(one.waiting, one.result);
    }
  }

  private synchronized Written<W> next() {
    return done.poll();
  }
}
