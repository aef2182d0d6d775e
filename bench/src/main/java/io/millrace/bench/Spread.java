package io.millrace.bench;

import java.util.Arrays;

/** The exact distribution of the latencies of one run, in nanoseconds. */
record Spread(double p50Micros, double p99Micros) {
  /** Sorts {@code nanos}. */
  static Spread of(long[] nanos) {
    Arrays.sort(nanos);
    return new Spread(at(nanos, 0.50), at(nanos, 0.99));
  }

  private static double at(long[] sorted, double part) {
    return sorted.length == 0 ? 0 : sorted[(int) (part * (sorted.length - 1))] / 1e3;
  }
}
