package io.millrace.testkit.model;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/**
 * Makes a failing list of operations short by leaving parts out for as long as what is left still
 * fails. Any failure counts as the failure.
 */
final class Shrinker {
  /** Runs operations from the start; how many were done when they failed, or -1. */
  private final Function<List<Operation>, Integer> run;

  private final long deadlineNanos;
  private List<Operation> shortest;

  Shrinker(List<Operation> failing, Duration limit, Function<List<Operation>, Integer> run) {
    this.shortest = failing;
    this.run = run;
    this.deadlineNanos = System.nanoTime() + limit.toNanos();
  }

  List<Operation> shrink() {
    for (int tail = 50; tail < shortest.size() && inTime(); tail *= 4) {
      if (fails(shortest.subList(shortest.size() - tail, shortest.size()))) {
        break;
      }
    }
    int part = Math.max(1, shortest.size() / 2);
    while (inTime()) {
      boolean less = false;
      for (int from = 0; from < shortest.size() && inTime(); ) {
        var rest = new ArrayList<>(shortest.subList(0, from));
        rest.addAll(shortest.subList(Math.min(from + part, shortest.size()), shortest.size()));
        if (fails(rest)) {
          less = true;
        } else {
          from += part;
        }
      }
      if (part == 1 && !less) {
        break;
      }
      part = Math.max(1, Math.min(part, shortest.size()) / 2);
    }
    return shortest;
  }

  private boolean inTime() {
    return System.nanoTime() < deadlineNanos;
  }

  private boolean fails(List<Operation> candidate) {
    int done = candidate.isEmpty() ? -1 : run.apply(candidate);
    if (done >= 0) {
      shortest = List.copyOf(candidate.subList(0, done));
    }
    return done >= 0;
  }
}
