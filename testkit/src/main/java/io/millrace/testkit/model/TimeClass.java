package io.millrace.testkit.model;

/** Times as two file systems can agree on them: those of this run are all "now", others exact. */
record TimeClass(long startNanos) {
  private static final long SECOND = 1_000_000_000L;
  private static final long DAY = 86_400 * SECOND;

  static TimeClass fromNow() {
    return new TimeClass(System.currentTimeMillis() * 1_000_000L);
  }

  String of(long nanos) {
    boolean now = nanos >= startNanos - 2 * SECOND && nanos < startNanos + DAY;
    return now ? "now" : Long.toString(nanos);
  }
}
