package io.millrace.node;

import io.millrace.core.api.Namespace;
import io.millrace.proto.Command;
import io.millrace.proto.CountQuota;
import io.millrace.proto.QuotaStatus;

/**
 * Counts what was below directories before they got a quota, in steps of some entries, so that
 * other commands come between. How far it is stands in the namespace: after a restart it goes on.
 * One thread of its own.
 */
final class QuotaCounter implements AutoCloseable {
  private static final int ENTRIES = 256;
  private static final long LOOK_MILLIS = 1000;

  private final Namespace namespace;
  private final Stamps stamps;
  private final Rounds rounds = new Rounds("node-quota", LOOK_MILLIS, this::countAll);

  QuotaCounter(Namespace namespace, Stamps stamps) {
    this.namespace = namespace;
    this.stamps = stamps;
  }

  void start() {
    rounds.start();
  }

  /** There is a new quota. */
  void wake() {
    rounds.wake();
  }

  /** Counts some of a quota; whether there is more to count. */
  boolean step(int quota) {
    var op = CountQuota.newBuilder().setId(quota).setEntriesMax(ENTRIES);
    var result = namespace.apply(stamps.own(Command.newBuilder().setCountQuota(op)), false);
    return Answers.checked(result).getExisted();
  }

  private long countAll() {
    for (QuotaStatus status : namespace.quotas()) {
      boolean more = status.getQuota().getCounting();
      while (more && !rounds.stopped()) {
        more = step(status.getQuota().getId());
      }
    }
    return LOOK_MILLIS;
  }

  @Override
  public void close() {
    rounds.close();
  }
}
