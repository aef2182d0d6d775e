package io.millrace.link;

import io.millrace.core.api.Bucket;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/**
 * All keys below a prefix, page after page; the next page is on its way while the caller works on
 * this one. Owned by one thread; its fetches run on virtual threads.
 */
final class ListPages implements AutoCloseable {
  private static final int KEYS = 1000;

  /**
   * @param askedNanos {@link System#nanoTime} before the request: later changes may be missing
   */
  record Listed(Bucket.Page page, long askedNanos) {}

  private final LinkBucket link;
  private final String prefix;
  private FutureTask<Listed> coming;
  private Thread fetcher;

  ListPages(LinkBucket link, String prefix, String startAfter) {
    this.link = link;
    this.prefix = prefix;
    fetch("", startAfter);
  }

  /** Empty after the last page. Waits while the bucket is away (S25). */
  Optional<Listed> next() throws InterruptedException {
    if (coming == null) {
      return Optional.empty();
    }
    Listed page;
    try {
      page = coming.get();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof FsException failure) {
        throw failure;
      }
      throw new FsException(e, Errno.EIO, "listing failed", "prefix", prefix);
    }
    coming = null;
    page.page().next().ifPresent(token -> fetch(token, ""));
    return Optional.of(page);
  }

  private void fetch(String token, String startAfter) {
    coming =
        new FutureTask<>(
            () -> {
              long asked = System.nanoTime();
              return new Listed(
                  link.backOff()
                      .retrying(() -> link.bucket().list(prefix, token, startAfter, "", KEYS)),
                  asked);
            });
    fetcher = Thread.ofVirtual().name("list").start(coming);
  }

  @Override
  public void close() {
    fetcher.interrupt();
  }
}
