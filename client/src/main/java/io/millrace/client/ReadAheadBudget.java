package io.millrace.client;

import java.util.concurrent.atomic.AtomicLong;

/** The bytes all read-ahead of a mount may hold or have asked for. Refusal only slows a reader. */
public final class ReadAheadBudget {
  private final long limitBytes;
  private final AtomicLong used = new AtomicLong();

  public ReadAheadBudget(long limitBytes) {
    this.limitBytes = limitBytes;
  }

  boolean tryTake(long bytes) {
    if (used.addAndGet(bytes) <= limitBytes) {
      return true;
    }
    used.addAndGet(-bytes);
    return false;
  }

  void giveBack(long bytes) {
    used.addAndGet(-bytes);
  }

  public long usedBytes() {
    return used.get();
  }
}
