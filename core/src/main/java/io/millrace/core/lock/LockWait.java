package io.millrace.core.lock;

/**
 * A request that waits in the queue of its file.
 *
 * @param <A> what its asker keeps with it
 */
public final class LockWait<A> {
  final LockKey key;
  final LockOwner owner;
  final LockRange range;
  final long ticket;
  private A asker;

  LockWait(LockKey key, LockOwner owner, LockRange range, long ticket, A asker) {
    this.key = key;
    this.owner = owner;
    this.range = range;
    this.ticket = ticket;
    this.asker = asker;
  }

  public A asker() {
    return asker;
  }

  /** It was asked again on another line. */
  void askedBy(A next) {
    asker = next;
  }

  public LockOwner owner() {
    return owner;
  }
}
