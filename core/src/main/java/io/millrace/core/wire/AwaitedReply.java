package io.millrace.core.wire;

import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

/** A callback that a thread waits for. A reply that comes after the wait was given up is closed. */
final class AwaitedReply implements NodeChannel.Callback {
  private final CompletableFuture<NodeChannel.Reply> answer = new CompletableFuture<>();

  @Override
  public void done(NodeChannel.Reply reply) {
    if (!answer.complete(reply)) {
      reply.close();
    }
  }

  @Override
  public void failed(FsException failure) {
    answer.completeExceptionally(failure);
  }

  /**
   * @param giveUp whether an interrupt ends the wait; else it is only kept
   */
  NodeChannel.Reply await(boolean giveUp) {
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return answer.get();
        } catch (InterruptedException e) {
          interrupted = true;
          if (giveUp) {
            return abandon(e);
          }
        } catch (ExecutionException e) {
          throw failure(e);
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private NodeChannel.Reply abandon(InterruptedException interrupt) {
    var failure = new FsException(interrupt, Errno.EINTR, "interrupted while the node was asked");
    if (answer.completeExceptionally(failure)) {
      throw failure;
    }
    return answer.join();
  }

  /** The same failure with the waiting thread's stack below it. */
  private static FsException failure(ExecutionException e) {
    return e.getCause() instanceof FsException failure
        ? failure
        : new FsException(e, Errno.EIO, "the channel failed");
  }
}
