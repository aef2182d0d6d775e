package io.millrace.cli;

import com.sun.management.HotSpotDiagnosticMXBean;
import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;

/**
 * How a server divides the memory it may use: that of its control group or MILLRACE_MEMORY, else of
 * the machine. The launcher has sized the heap by the same number; caches and buffers get what is
 * left. What was asked for is given or refused, the rest shrinks.
 *
 * @param l1Bytes 0 for a mount without a node
 * @param l2Bytes 0 for a node without a mount
 * @param isReduced whether something is less than its default
 */
record MemoryPlan(
    Limit limit,
    long l1Bytes,
    long l2Bytes,
    long writeBackBytes,
    long readAheadBytes,
    long stagedBytes,
    boolean isReduced) {
  private static final long MIB = 1L << 20;
  private static final long CACHE_DEFAULT = 64 * MIB;
  private static final long CACHE_LEAST = MIB;
  private static final long WRITE_BACK_LEAST = 8 * MIB;
  private static final long READ_AHEAD_DEFAULT = 32 * MIB;
  private static final long READ_AHEAD_LEAST = 4 * MIB;
  private static final long STAGED_DEFAULT = 8 * MIB;
  private static final long STAGED_LEAST = MIB;

  /** Code, classes, stacks, the collector's tables, the allocator's slack: as measured. */
  private static final long JVM_BYTES = 128 * MIB;

  /** Caches and write buffers of the namespace and of the blocks' index. */
  private static final long ROCKSDB_BYTES = 64 * MIB;

  /** WRITE payloads and replies of the mount's workers. */
  private static final long FUSE_BYTES = 24 * MIB;

  /** What there is. */
  record Limit(long bytes, String source, long heapBytes, long directBytes) {

    /** Of this process. */
    static Limit here() {
      var machine = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
      long set = Long.getLong("millrace.memory", 0);
      boolean isSet = set > 0 && set < machine.getTotalMemorySize();
      return new Limit(
          isSet ? set : machine.getTotalMemorySize(),
          isSet ? "MILLRACE_MEMORY or the control group" : "the control group or the machine",
          Runtime.getRuntime().maxMemory(),
          directMemory());
    }
  }

  private static long directMemory() {
    var machine = ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class);
    long set = Long.parseLong(machine.getVMOption("MaxDirectMemorySize").getValue());
    return set > 0 ? set : Runtime.getRuntime().maxMemory(); // the JVM's own rule
  }

  /** What was asked for; null where nothing was. */
  record Asked(boolean node, boolean mount, Long l1Bytes, Long l2Bytes, Long writeBackBytes) {

    static Asked node(NodeOptions node) {
      return new Asked(true, false, node.l1Asked(), null, null);
    }

    static Asked mount(MountOptions mount) {
      return new Asked(false, true, null, mount.l2Asked(), mount.writeBackAsked());
    }

    static Asked up(NodeOptions node, MountOptions mount) {
      return new Asked(true, true, node.l1Asked(), mount.l2Asked(), mount.writeBackAsked());
    }

    private boolean hasNone() {
      return l1Bytes == null && l2Bytes == null && writeBackBytes == null;
    }
  }

  /**
   * @throws CliException it does not fit
   */
  static MemoryPlan of(Limit limit, Asked asked) {
    long fixed = JVM_BYTES + limit.heapBytes + limit.directBytes;
    fixed += asked.node ? ROCKSDB_BYTES : 0;
    fixed += asked.mount ? FUSE_BYTES : 0;
    long left = limit.bytes - fixed;
    long readAhead = asked.mount ? part(left / 16, READ_AHEAD_LEAST, READ_AHEAD_DEFAULT) : 0;
    long staged = asked.mount ? part(left / 64, STAGED_LEAST, STAGED_DEFAULT) : 0;
    long flowing = readAhead + staged;
    flowing += asked.node ? 2 * (StoreNode.BUFFER_BYTES + readAhead + staged) : 0;
    var caches = new Shares(left - flowing);
    caches.add(asked.node, "--l1", asked.l1Bytes, CACHE_LEAST);
    caches.add(asked.mount, "--l2", asked.l2Bytes, CACHE_LEAST);
    caches.add(asked.mount, "--write-back", asked.writeBackBytes, WRITE_BACK_LEAST);
    if (!caches.fit()) {
      throw tooMuch(limit, asked, fixed + flowing, caches);
    }
    return new MemoryPlan(
        limit, caches.take(), caches.take(), caches.take(), readAhead, staged, caches.isReduced);
  }

  private static long part(long wanted, long least, long most) {
    return Math.clamp(wanted / MIB * MIB, least, most);
  }

  private static CliException tooMuch(Limit limit, Asked asked, long fixed, Shares caches) {
    String way =
        asked.hasNone()
            ? "raise it, or set a smaller MILLRACE_HEAP or MILLRACE_DIRECT"
            : "lower what was asked for, or raise the limit";
    return new CliException(
        Main.USAGE,
        "the memory limit is %s (%s), and heap %s, direct buffers %s, %s for the JVM and fixed buffers, and %s need %s; %s"
            .formatted(
                Units.bytes(limit.bytes),
                limit.source,
                Units.bytes(limit.heapBytes),
                Units.bytes(limit.directBytes),
                Units.bytes(fixed - limit.heapBytes - limit.directBytes),
                caches.names(),
                Units.bytes(fixed + caches.least()),
                way));
  }

  /** What a mount's part of the process may borrow from the node's buffers. */
  long borrowedBytes() {
    return readAheadBytes + stagedBytes;
  }

  String line() {
    return "memory limit %s (%s): heap %s, L1 %s, L2 %s, write-back %s"
        .formatted(
            Units.bytes(limit.bytes),
            limit.source,
            Units.bytes(limit.heapBytes),
            Units.bytes(l1Bytes),
            Units.bytes(l2Bytes),
            Units.bytes(writeBackBytes));
  }

  /** Divides what is left: first what was asked for, then the others alike, up to the default. */
  private static final class Shares {
    private record Share(boolean exists, String name, Long asked, long leastBytes) {
      long least() {
        return !exists ? 0 : asked != null ? asked : leastBytes;
      }
    }

    private final long bytes;
    private final List<Share> shares = new ArrayList<>();
    private boolean isReduced;
    private int next;

    Shares(long bytes) {
      this.bytes = bytes;
    }

    void add(boolean exists, String name, Long asked, long leastBytes) {
      shares.add(new Share(exists, name, asked, leastBytes));
    }

    long least() {
      return shares.stream().mapToLong(Share::least).sum();
    }

    boolean fit() {
      return least() <= bytes;
    }

    /** In the order they were added. */
    long take() {
      Share share = shares.get(next++);
      if (!share.exists || share.asked != null) {
        return share.least();
      }
      long open = shares.stream().filter(s -> s.exists && s.asked == null).count();
      long spare = bytes - least();
      long given = Math.min(CACHE_DEFAULT, (share.leastBytes + spare / open) / MIB * MIB);
      isReduced |= given < CACHE_DEFAULT;
      return given;
    }

    String names() {
      return shares.stream()
          .filter(s -> s.exists)
          .map(s -> s.name + " " + Units.bytes(s.least()))
          .reduce((a, b) -> a + ", " + b)
          .orElse("");
    }
  }
}
