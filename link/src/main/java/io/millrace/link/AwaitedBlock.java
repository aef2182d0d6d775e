package io.millrace.link;

import io.millrace.core.api.ContentSource.Receiver;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.core.api.Pinned;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

/** A receiver for one thread that waits. Bytes that come after it gave up are closed. */
final class AwaitedBlock implements Receiver {
  private final CompletableFuture<Pinned> answer = new CompletableFuture<>();

  @Override
  public void loaded(Pinned bytes) {
    if (!answer.complete(bytes)) {
      bytes.close();
    }
  }

  @Override
  public void failed(FsException failure) {
    answer.completeExceptionally(failure);
  }

  /**
   * @throws FsException what it failed with, with this thread's stack; EINTR interrupted
   */
  Pinned await() {
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return answer.get();
        } catch (InterruptedException e) {
          interrupted = true;
          answer.completeExceptionally(
              new FsException(e, Errno.EINTR, "interrupted while content is loaded"));
        } catch (ExecutionException e) {
          throw thrown(e.getCause());
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private static FsException thrown(Throwable cause) {
    return cause instanceof FsException failure
        ? new FsException(
            failure, failure.errno(), "content could not be loaded", "cause", failure.getMessage())
        : new FsException(cause, Errno.EIO, "content could not be loaded", "cause", cause);
  }
}
