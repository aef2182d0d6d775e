package io.millrace.node;

import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Where work runs (H28): what calls RocksDB or the disk on few platform threads, what waits for the
 * bucket or for people on virtual ones, notices on threads of their own so that neither delays
 * them, and one clock thread for what is due.
 */
final class NodeThreads implements AutoCloseable {
  private static final int NOTICE_THREADS = 2;
  private static final long STOP_SECONDS = 5;

  private final ThreadPoolExecutor disk;
  private final ThreadPoolExecutor notices;
  private final ExecutorService waiting =
      Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("node-waiting-", 0).factory());
  private final ScheduledExecutorService clock;
  private final ExecutorService sync = Executors.newSingleThreadExecutor(named("node-sync-"));

  NodeThreads(NodeConfig config) {
    disk =
        new ThreadPoolExecutor(
            config.diskThreads(),
            config.diskThreads(),
            0,
            TimeUnit.SECONDS,
            new ArrayBlockingQueue<>(config.diskQueueMax()),
            named("node-disk-"));
    // Bounded by the mutations in flight: each has at most one task here.
    notices =
        new ThreadPoolExecutor(
            NOTICE_THREADS,
            NOTICE_THREADS,
            0,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            named("node-notices-"));
    clock = Executors.newSingleThreadScheduledExecutor(named("node-clock-"));
  }

  /**
   * @throws FsException EBUSY too much waits already
   */
  void onDisk(Runnable work) {
    try {
      disk.execute(work);
    } catch (RejectedExecutionException e) {
      throw new FsException(e, Errno.EBUSY, "the node has too many requests waiting for the disk");
    }
  }

  void onNotices(Runnable work) {
    notices.execute(work);
  }

  /** What syncs blocks, one at a time. */
  void onSync(Runnable work) {
    sync.execute(work);
  }

  void waiting(Runnable work) {
    waiting.execute(work);
  }

  void every(long millis, Runnable work) {
    var _ = clock.scheduleWithFixedDelay(work, millis, millis, TimeUnit.MILLISECONDS);
  }

  void after(long millis, Runnable work) {
    var _ = clock.schedule(work, millis, TimeUnit.MILLISECONDS);
  }

  @Override
  public void close() {
    clock.shutdownNow();
    end(disk);
    end(sync);
    end(notices);
    waiting.shutdownNow();
  }

  private static void end(ExecutorService pool) {
    pool.shutdown();
    try {
      if (!pool.awaitTermination(STOP_SECONDS, TimeUnit.SECONDS)) {
        pool.shutdownNow();
      }
    } catch (InterruptedException e) {
      pool.shutdownNow();
      Thread.currentThread().interrupt();
    }
  }

  private static ThreadFactory named(String prefix) {
    var number = new AtomicInteger();
    return work ->
        Thread.ofPlatform().daemon().name(prefix + number.incrementAndGet()).unstarted(work);
  }
}
