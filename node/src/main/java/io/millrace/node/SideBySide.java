package io.millrace.node;

import io.millrace.core.api.BlockId;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.core.api.Pinned;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/**
 * Loads of several blocks at once, each on a virtual thread (their number is bounded by the size of
 * one read). Owned by one thread. What was loaded and not taken is given back at the end.
 */
final class SideBySide implements AutoCloseable {
  private final Map<BlockId, CompletableFuture<Pinned>> loads = new HashMap<>();

  void start(BlockId block, Callable<Pinned> load) {
    var loaded = new CompletableFuture<Pinned>();
    loads.put(block, loaded);
    var _ =
        Thread.startVirtualThread(
            () -> {
              try {
                loaded.complete(load.call());
              } catch (Exception e) {
                loaded.completeExceptionally(e);
              }
            });
  }

  boolean has(BlockId block) {
    return loads.containsKey(block);
  }

  /** Waits; the caller closes it. */
  Pinned take(BlockId block) {
    try {
      return loads.remove(block).join();
    } catch (CompletionException e) {
      throw e.getCause() instanceof FsException failure
          ? failure
          : new FsException(e, Errno.EIO, "block can't be loaded", "block", block);
    }
  }

  @Override
  public void close() {
    for (CompletableFuture<Pinned> load : loads.values()) {
      var _ = load.thenAccept(Pinned::close);
    }
  }
}
