package io.millrace.node;

import io.millrace.core.api.BlockId;
import io.millrace.core.api.BlockStore;
import io.millrace.core.api.BlockStore.Stored;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.core.api.Ino;
import io.millrace.core.api.Namespace;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * Looks for blocks that were stored and never committed: their client died or gave up (H16). Goes
 * through the block store in small steps; a pass begins at the start, after a session has ended,
 * and from time to time. Keeps nothing between steps but where it is. One thread.
 *
 * <p>The fence: a block's version names its writer's session. Its session was opened before the
 * block was stored; so where the block was seen first and the session is gone after that, it has
 * ended, and no commit of it is applied any more ({@code StateMachine} refuses it; {@code
 * ChangeRequests} refuses another session's commit of its blocks). What no extent shows then stays
 * so. Before the first drop the end of the session survives power loss: else it could come back.
 */
final class LeakSearch {
  private static final System.Logger LOG = System.getLogger(LeakSearch.class.getName());
  private static final int STEP_BLOCKS = 512;
  private static final long PASS_EVERY_NANOS = TimeUnit.HOURS.toNanos(6);

  private final Namespace namespace;
  private final BlockStore blocks;
  private final PowerFence fence;
  private final NodeCounters counters;
  private final LongSupplier closedSessions;
  private long closedSeen;
  private BlockId next;
  private long lastPassNanos;
  private boolean first = true;
  private long dropped;

  /**
   * @param closedSessions how many were closed so far; a change of it starts a pass
   */
  LeakSearch(
      Namespace namespace,
      BlockStore blocks,
      PowerFence fence,
      NodeCounters counters,
      LongSupplier closedSessions) {
    this.namespace = namespace;
    this.blocks = blocks;
    this.fence = fence;
    this.counters = counters;
    this.closedSessions = closedSessions;
  }

  /**
   * Blocks of inode numbers that the namespace has not given out: a power cut took the commands and
   * left the blocks. The numbers will be given out again, and must not find them.
   */
  void dropUnborn() {
    long last = namespace.lastInode();
    BlockId from = BlockId.firstOf(last + 1);
    while (true) {
      List<BlockId> unborn =
          blocks.list(from, STEP_BLOCKS).stream()
              .map(Stored::id)
              .filter(id -> Ino.shard(id.ino()) == Ino.shard(last))
              .toList();
      if (unborn.isEmpty()) {
        return;
      }
      drop(unborn);
      from = unborn.getLast().next();
    }
  }

  /** Whether a pass is under way. */
  boolean step() {
    if (next == null && !begins()) {
      return false;
    }
    List<Stored> seen = blocks.list(next, STEP_BLOCKS);
    if (seen.isEmpty()) {
      next = null;
      if (dropped > 0) {
        LOG.log(System.Logger.Level.INFO, "dropped " + dropped + " blocks never committed");
        dropped = 0;
      }
      return false;
    }
    Set<Integer> live = liveSessions(); // after the blocks were seen
    List<BlockId> leaked = seen.stream().map(Stored::id).filter(id -> isLeaked(id, live)).toList();
    if (!leaked.isEmpty()) {
      fence.pass();
      drop(leaked);
    }
    next = seen.getLast().id().next();
    return true;
  }

  private boolean begins() {
    long closed = closedSessions.getAsLong();
    boolean ended = closed != closedSeen;
    closedSeen = closed;
    long now = System.nanoTime();
    if (!first && !ended && now - lastPassNanos < PASS_EVERY_NANOS) {
      return false;
    }
    first = false;
    lastPassNanos = now;
    next = BlockId.firstOf(1);
    return true;
  }

  private Set<Integer> liveSessions() {
    var numbers = new HashSet<Integer>();
    namespace.sessions().forEach(session -> numbers.add(session.number()));
    return numbers;
  }

  private boolean isLeaked(BlockId id, Set<Integer> live) {
    int session = (int) (id.version() >>> 32);
    if (session == 0) {
      return !exists(id.ino()); // an import's: clean, and kept while its file is there
    }
    return !live.contains(session) && !namespace.needs(id);
  }

  private boolean exists(long ino) {
    try {
      namespace.inode(ino);
      return true;
    } catch (FsException gone) {
      if (gone.errno() == Errno.ESTALE) {
        return false;
      }
      throw gone;
    }
  }

  private void drop(List<BlockId> leaked) {
    blocks.drop(leaked);
    dropped += leaked.size();
    counters.count(NodeCounters.Event.LEAKED_BLOCK_DROPPED, leaked.size());
  }
}
