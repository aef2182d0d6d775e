package io.millrace.link;

import java.time.Duration;

/**
 * Limits of the link engine.
 *
 * @param getsInFlight GETs of content at once, all links together; background work leaves a quarter
 *     of them to waiting readers
 * @param preloadInFlight GETs of one preload at once
 * @param exportsInFlight files of one link that are being exported at once
 * @param readerDeadline how long a reader waits for a bucket that is away (H22)
 * @param retryFirst first pause after the bucket refused; doubles up to {@code retryMost}
 * @param importBatchEntries entries of one namespace command
 * @param uploadBufferBytes off-heap memory for parts being uploaded, all links together
 * @param partBytes size of the parts of a large upload
 * @param progressEvery how often a task's progress is recorded
 * @param sweepEvery how often the background looks for changes to export, besides being woken
 * @param evictEvery how often files that were not read for the link's time are looked for
 */
public record LinkConfig(
    int getsInFlight,
    int preloadInFlight,
    int exportsInFlight,
    Duration readerDeadline,
    Duration retryFirst,
    Duration retryMost,
    int importBatchEntries,
    long uploadBufferBytes,
    int partBytes,
    Duration progressEvery,
    Duration sweepEvery,
    Duration evictEvery) {

  public static final LinkConfig DEFAULT =
      new LinkConfig(
          64,
          16,
          16,
          Duration.ofSeconds(60),
          Duration.ofMillis(100),
          Duration.ofSeconds(10),
          4_000,
          64L << 20,
          8 << 20,
          Duration.ofSeconds(1),
          Duration.ofSeconds(1),
          Duration.ofMinutes(10));

  public LinkConfig {
    if (getsInFlight < 4 || preloadInFlight < 1 || exportsInFlight < 1) {
      throw new IllegalArgumentException("too few requests in flight");
    }
    if (importBatchEntries < 1 || partBytes < 1 || uploadBufferBytes < 2L * partBytes) {
      throw new IllegalArgumentException("upload buffers must hold two parts, batches an entry");
    }
  }

  public LinkConfig withReaderDeadline(Duration deadline) {
    return new LinkConfig(
        getsInFlight,
        preloadInFlight,
        exportsInFlight,
        deadline,
        retryFirst,
        retryMost,
        importBatchEntries,
        uploadBufferBytes,
        partBytes,
        progressEvery,
        sweepEvery,
        evictEvery);
  }

  /** Short pauses, for tests. */
  public LinkConfig withRetry(Duration first, Duration most) {
    return new LinkConfig(
        getsInFlight,
        preloadInFlight,
        exportsInFlight,
        readerDeadline,
        first,
        most,
        importBatchEntries,
        uploadBufferBytes,
        partBytes,
        progressEvery,
        sweepEvery,
        evictEvery);
  }

  public LinkConfig withSweeps(Duration progress, Duration sweep, Duration evict) {
    return new LinkConfig(
        getsInFlight,
        preloadInFlight,
        exportsInFlight,
        readerDeadline,
        retryFirst,
        retryMost,
        importBatchEntries,
        uploadBufferBytes,
        partBytes,
        progress,
        sweep,
        evict);
  }

  public LinkConfig withBatch(int entries) {
    return new LinkConfig(
        getsInFlight,
        preloadInFlight,
        exportsInFlight,
        readerDeadline,
        retryFirst,
        retryMost,
        entries,
        uploadBufferBytes,
        partBytes,
        progressEvery,
        sweepEvery,
        evictEvery);
  }
}
