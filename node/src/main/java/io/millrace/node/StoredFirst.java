package io.millrace.node;

import io.millrace.core.api.BlockStore;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * Makes blocks survive power loss before commands that name them go to the journal (H13), beside
 * the journal's thread: one sync for all who came while the one before ran. Any thread; what
 * follows runs on the node's sync thread. Bounded by the requests in flight.
 */
final class StoredFirst {
  private final BlockStore blocks;
  private final NodeThreads threads;
  private List<Consumer<FsException>> waiting = new ArrayList<>();
  private boolean running;

  StoredFirst(BlockStore blocks, NodeThreads threads) {
    this.blocks = blocks;
    this.threads = threads;
  }

  /**
   * @param next once all blocks stored before this call survive power loss, with null; or with why
   *     they may not
   */
  void then(Consumer<FsException> next) {
    boolean first;
    synchronized (this) {
      waiting.add(next);
      first = !running;
      running = true;
    }
    if (first) {
      threads.onSync(this::rounds);
    }
  }

  private void rounds() {
    for (List<Consumer<FsException>> these = take(); !these.isEmpty(); these = take()) {
      FsException failure = sync();
      these.forEach(next -> next.accept(failure));
    }
  }

  private synchronized List<Consumer<FsException>> take() {
    List<Consumer<FsException>> these = waiting;
    waiting = new ArrayList<>();
    running = !these.isEmpty();
    return these;
  }

  private FsException sync() {
    try {
      blocks.sync();
      return null;
    } catch (FsException e) {
      return e;
    } catch (RuntimeException e) {
      return new FsException(e, Errno.EIO, "blocks could not be synced");
    }
  }
}
