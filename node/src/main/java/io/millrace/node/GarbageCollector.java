package io.millrace.node;

import io.millrace.core.api.BlockId;
import io.millrace.core.api.BlockStore;
import io.millrace.core.api.FsException;
import io.millrace.core.api.Namespace;
import io.millrace.proto.Command;
import io.millrace.proto.ForgetGarbage;
import io.millrace.proto.Garbage;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;

/**
 * Drops blocks that nothing refers to any more, then forgets them. One thread of its own; in small
 * steps, so that neither the disk nor the journal is held up. A crash between drop and forgetting
 * only repeats the drop. Before the first drop of a round, what let go of the blocks survives power
 * loss: else a cut gives back a file, or the old one of two that changed places, without content.
 */
final class GarbageCollector implements AutoCloseable {
  private static final int ROUND_ROWS = 8192;
  private static final int STEP_ROWS = 256;

  /** Between two steps of {@link LeakSearch}: some thousand blocks a second. */
  private static final int LEAK_PAUSE_MILLIS = 200;

  private final Namespace namespace;
  private final BlockStore blocks;
  private final Stamps stamps;
  private final NodeCounters counters;
  private final int pauseMillis;
  private final PowerFence fence;
  private final LeakSearch leaks;
  private final Rounds rounds;

  GarbageCollector(
      Namespace namespace,
      BlockStore blocks,
      Stamps stamps,
      NodeCounters counters,
      LongSupplier closedSessions,
      int pauseMillis) {
    this.namespace = namespace;
    this.blocks = blocks;
    this.stamps = stamps;
    this.counters = counters;
    this.pauseMillis = pauseMillis;
    this.fence = new PowerFence(namespace, stamps);
    this.leaks = new LeakSearch(namespace, blocks, fence, counters, closedSessions);
    this.rounds = new Rounds("node-garbage", pauseMillis, this::round);
  }

  /** Before anything is served. */
  void dropUnborn() {
    leaks.dropUnborn();
  }

  void start() {
    rounds.start();
  }

  @Override
  public void close() {
    rounds.close();
  }

  private long round() throws InterruptedException {
    if (collect()) {
      return 0;
    }
    return leaks.step() ? Math.min(LEAK_PAUSE_MILLIS, pauseMillis) : pauseMillis;
  }

  /** Whether there may be more. */
  private boolean collect() throws InterruptedException {
    List<Garbage> rows = namespace.garbage(ROUND_ROWS);
    if (rows.isEmpty()) {
      return false;
    }
    fence.pass();
    for (int from = 0; from < rows.size() && !rounds.stopped(); from += STEP_ROWS) {
      drop(rows.subList(from, Math.min(rows.size(), from + STEP_ROWS)));
      Thread.sleep(1);
    }
    return rows.size() == ROUND_ROWS;
  }

  private void drop(List<Garbage> rows) {
    var done = ForgetGarbage.newBuilder();
    for (Garbage row : rows) {
      List<BlockId> dead = blocksOf(row);
      blocks.drop(dead);
      counters.count(NodeCounters.Event.GARBAGE_BLOCK_DROPPED, dead.size());
      done.addSeq(row.getSeq());
    }
    var result = namespace.apply(stamps.own(Command.newBuilder().setForgetGarbage(done)), false);
    if (result.getErrno() != 0) {
      throw new FsException(
          io.millrace.core.api.Errno.of(result.getErrno()),
          "garbage not forgotten",
          "why",
          result.getMessage());
    }
  }

  private List<BlockId> blocksOf(Garbage row) {
    if (row.getWholeVersion()) {
      return blocks.blocksOf(row.getIno(), row.getVersion());
    }
    var dead = new ArrayList<BlockId>();
    long end = row.getStreamOffset() + row.getLength();
    for (long at = row.getStreamOffset() / BlockId.MAX_BYTES; at * BlockId.MAX_BYTES < end; at++) {
      dead.add(new BlockId(row.getIno(), row.getVersion(), Math.toIntExact(at)));
    }
    return dead;
  }
}
