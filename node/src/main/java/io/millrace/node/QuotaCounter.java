package io.millrace.node;

import io.millrace.core.api.FsException;
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
  private static final System.Logger LOG = System.getLogger(QuotaCounter.class.getName());
  private static final int ENTRIES = 256;
  private static final long LOOK_MILLIS = 1000;
  private static final long STOP_MILLIS = 5000;

  private final Namespace namespace;
  private final Stamps stamps;
  private final Object wake = new Object();
  private final Thread thread;
  private boolean asked;
  private volatile boolean stopped;

  QuotaCounter(Namespace namespace, Stamps stamps) {
    this.namespace = namespace;
    this.stamps = stamps;
    this.thread = Thread.ofPlatform().daemon().name("node-quota").unstarted(this::run);
  }

  void start() {
    thread.start();
  }

  /** There is a new quota. */
  void wake() {
    synchronized (wake) {
      asked = true;
      wake.notifyAll();
    }
  }

  /** Counts some of a quota; whether there is more to count. */
  boolean step(int quota) {
    var op = CountQuota.newBuilder().setId(quota).setEntriesMax(ENTRIES);
    var result = namespace.apply(stamps.own(Command.newBuilder().setCountQuota(op)), false);
    return Answers.checked(result).getExisted();
  }

  private void run() {
    while (!stopped) {
      try {
        countAll();
        synchronized (wake) {
          if (!asked) {
            wake.wait(LOOK_MILLIS);
          }
          asked = false;
        }
      } catch (InterruptedException e) {
        return;
      } catch (FsException e) {
        if (!stopped) {
          LOG.log(System.Logger.Level.WARNING, "quota not counted this time", e);
        }
      }
    }
  }

  private void countAll() {
    for (QuotaStatus status : namespace.quotas()) {
      boolean more = status.getQuota().getCounting();
      while (more && !stopped) {
        more = step(status.getQuota().getId());
      }
    }
  }

  @Override
  public void close() {
    stopped = true;
    thread.interrupt();
    try {
      thread.join(STOP_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
