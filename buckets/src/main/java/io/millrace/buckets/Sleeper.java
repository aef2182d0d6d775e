package io.millrace.buckets;

/** How wrappers wait; tests give one that only notes what was asked. */
@FunctionalInterface
public interface Sleeper {
  Sleeper REAL = nanos -> Thread.sleep(nanos / 1_000_000, (int) (nanos % 1_000_000));

  void sleep(long nanos) throws InterruptedException;
}
