package io.millrace.node;

import io.millrace.core.access.Squash;

/**
 * @param name for people, in Welcome and status
 * @param leaseMillis how long a client may trust its caches without hearing from the node, and how
 *     long a mutation waits for a client that does not answer
 * @param sessionMillis a client silent for longer has its session closed
 * @param diskThreads platform threads for RocksDB and block files (H28)
 * @param diskQueueMax requests that wait for such a thread; beyond it they fail with EBUSY
 * @param directoryLeasesMax beyond it the oldest are recalled
 * @param contentLeasesMax beyond it the oldest are recalled
 * @param squash whose word is taken for who he is
 * @param collectorPauseMillis between two looks for garbage when there was none
 */
public record NodeConfig(
    String name,
    int leaseMillis,
    int sessionMillis,
    int diskThreads,
    int diskQueueMax,
    int directoryLeasesMax,
    int contentLeasesMax,
    Squash squash,
    int collectorPauseMillis) {

  public NodeConfig {
    if (leaseMillis < 1 || sessionMillis < leaseMillis) {
      throw new IllegalArgumentException("a session lasts longer than a lease");
    }
    if (diskThreads < 1 || diskQueueMax < 1 || collectorPauseMillis < 1) {
      throw new IllegalArgumentException("limits start at 1");
    }
    if (directoryLeasesMax < 1 || contentLeasesMax < 1) {
      throw new IllegalArgumentException("limits start at 1");
    }
  }

  public static NodeConfig named(String name) {
    int disk = Math.max(4, Runtime.getRuntime().availableProcessors());
    return new NodeConfig(
        name, 5000, 60_000, disk, 16_384, 256 << 10, 512 << 10, Squash.NONE, 1000);
  }

  public NodeConfig withLeaseMillis(int millis) {
    return new NodeConfig(
        name,
        millis,
        Math.max(sessionMillis, millis),
        diskThreads,
        diskQueueMax,
        directoryLeasesMax,
        contentLeasesMax,
        squash,
        collectorPauseMillis);
  }

  public NodeConfig withSquash(Squash chosen) {
    return new NodeConfig(
        name,
        leaseMillis,
        sessionMillis,
        diskThreads,
        diskQueueMax,
        directoryLeasesMax,
        contentLeasesMax,
        chosen,
        collectorPauseMillis);
  }
}
