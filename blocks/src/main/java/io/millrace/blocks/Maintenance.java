package io.millrace.blocks;

import io.millrace.core.api.BlockId;
import io.millrace.core.api.FsException;
import java.lang.System.Logger.Level;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntSupplier;

/**
 * The store's one background thread (a platform thread: it is in system calls most of the time).
 * Writes down when blocks were used, and moves live blocks out of segments that are mostly dead, at
 * a limited rate.
 */
final class Maintenance implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger(Maintenance.class.getName());
  private static final int QUEUE = 8192;
  private static final long PAUSE_MILLIS = 500;

  private final List<DiskDirectory> directories;
  private final DiskPopularity popularity;
  private final StoreCounters counters;
  private final IntSupplier hour;
  private final long bytesPerSecond;
  private final ArrayBlockingQueue<BlockId> used = new ArrayBlockingQueue<>(QUEUE);
  private final Thread thread;
  private volatile boolean closed;

  Maintenance(
      List<DiskDirectory> directories,
      DiskPopularity popularity,
      StoreCounters counters,
      IntSupplier hour,
      long bytesPerSecond) {
    this.directories = directories;
    this.popularity = popularity;
    this.counters = counters;
    this.hour = hour;
    this.bytesPerSecond = bytesPerSecond;
    thread = Thread.ofPlatform().name("blocks-maintenance").daemon().unstarted(this::run);
  }

  void start() {
    thread.start();
  }

  /** Remembers that a block was used; false where too many are remembered already. */
  boolean used(BlockId id) {
    return used.offer(id);
  }

  @Override
  public void close() {
    closed = true;
    thread.interrupt();
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException interrupt) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    BlockId left;
    while ((left = used.poll()) != null) {
      writeUse(left);
    }
  }

  private void run() {
    while (!closed) {
      try {
        BlockId id = used.poll(PAUSE_MILLIS, TimeUnit.MILLISECONDS);
        if (id != null) {
          writeUse(id);
        } else {
          tidy();
        }
      } catch (InterruptedException interrupt) {
        // close() set the flag
      } catch (FsException failure) {
        LOG.log(Level.WARNING, "block maintenance failed", failure);
      } catch (RuntimeException failure) {
        LOG.log(Level.ERROR, "block maintenance failed", failure);
      }
    }
  }

  private void writeUse(BlockId id) {
    for (DiskDirectory directory : directories) {
      directory.used(id, hour.getAsInt());
    }
  }

  /** One round: counters, then at most one segment of each directory. */
  void tidy() {
    long blocks = 0;
    for (DiskDirectory directory : directories) {
      directory.space().indexTakes(directory.index().diskBytes());
      blocks += directory.totals().blocks;
      compactOne(directory);
    }
    popularity.blocks(blocks);
  }

  private void compactOne(DiskDirectory directory) {
    var cleaner = new SegmentCleaner(directory, this::pace);
    for (Segment segment : directory.segments().all()) {
      boolean mostlyDead = segment.dead() * 2 > segment.end();
      if (directory.remove(segment) || (mostlyDead && cleaner.clean(segment, false))) {
        counters.compacted.increment();
        return;
      }
    }
  }

  private void pace(long moved) {
    LockSupport.parkNanos(moved * TimeUnit.SECONDS.toNanos(1) / bytesPerSecond);
  }
}
