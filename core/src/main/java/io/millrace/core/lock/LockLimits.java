package io.millrace.core.lock;

/**
 * Beyond any of them a request is refused.
 *
 * @param locks ranges held at once, by all
 * @param locksPerSession ranges held at once by one client
 * @param waits requests that wait, of all
 * @param waitsPerSession requests of one client that wait
 */
public record LockLimits(int locks, int locksPerSession, int waits, int waitsPerSession) {
  public static final LockLimits DEFAULT = new LockLimits(256 << 10, 64 << 10, 16 << 10, 4 << 10);

  public LockLimits {
    if (locks < 1 || locksPerSession < 1 || waits < 1 || waitsPerSession < 1) {
      throw new IllegalArgumentException("limits start at 1");
    }
  }
}
