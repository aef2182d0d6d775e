package io.millrace.blocks;

import io.millrace.core.api.BlockId;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import java.lang.System.Logger.Level;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Small clean blocks on their way to the disk: many are written at once, past the page cache, and
 * their rows in one batch. Until then they are here, in memory; a killed process loses them, and
 * the bucket has them (docs/decisions/0006-staged-clean-blocks.md).
 *
 * <p>Safe for many threads; one thread of its own writes, in order. Invariant: a block whose store
 * has returned is in {@link #rows}, in the index, or in both while it goes over; as long as it is
 * in {@code rows}, nobody but the writing thread changes its row in the index. Lock order: a
 * block's key lock, then this lock; the writing thread takes no key lock.
 */
final class CleanStage implements AutoCloseable {
  /** Longer ones gain little, and would leave buffers half full. */
  static final int MAX_BLOCK_BYTES = 256 << 10;

  private static final System.Logger LOG = System.getLogger(CleanStage.class.getName());
  private static final int BUFFERS = 4;
  private static final long MAX_AGE_NANOS = TimeUnit.SECONDS.toNanos(1);
  private static final Comparator<BlockId> KEY_ORDER =
      (one, other) -> {
        int byIno = Long.compareUnsigned(one.ino(), other.ino());
        int byVersion = Long.compareUnsigned(one.version(), other.version());
        return byIno != 0 ? byIno : byVersion != 0 ? byVersion : one.index() - other.index();
      };

  /** Where full buffers go. */
  interface Sink {
    /** Writes pages, then rows; a failure leaves none of the rows. */
    void store(StageBuffer buffer);

    /** So many blocks could not be stored and are gone. */
    void lost(int blocks);
  }

  private final SegmentFiles segments;
  private final Space space;
  private final Sink sink;
  private final ConcurrentSkipListMap<BlockId, IndexRow> rows =
      new ConcurrentSkipListMap<>(KEY_ORDER);
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition work = lock.newCondition();
  private final Condition left = lock.newCondition();
  private final Condition written = lock.newCondition();
  private final Arena arena = Arena.ofShared();
  private final List<StageBuffer> all = new ArrayList<>(BUFFERS);
  private final ArrayDeque<StageBuffer> free = new ArrayDeque<>();
  private final ArrayDeque<StageBuffer> full = new ArrayDeque<>();
  private final AtomicBoolean diskFull = new AtomicBoolean();
  private final Thread thread;
  private StageBuffer open;
  private long sealedCount;
  private long writtenCount;
  private long bytes;
  private boolean closed;

  CleanStage(SegmentFiles segments, Space space, Sink sink) {
    this.segments = segments;
    this.space = space;
    this.sink = sink;
    thread = Thread.ofPlatform().name("blocks-stage").daemon().unstarted(this::run);
  }

  void start() {
    thread.start();
  }

  /**
   * Takes a block over, for which room was taken. Waits while all buffers are being written.
   *
   * @return false: it is not for here; the caller stores it otherwise
   * @throws FsException no segment can be made
   */
  boolean add(RecordHeader header, MemorySegment content, int hour) {
    long need = SegmentFiles.recordBytes(header.length());
    if (header.length() > MAX_BLOCK_BYTES || !segments.fits(StageBuffer.wholePages(need))) {
      return false;
    }
    StageBuffer buffer;
    int at;
    lock.lock();
    try {
      buffer = openFor(need);
      if (buffer == null) {
        return false;
      }
      at = buffer.reserve(need);
    } finally {
      lock.unlock();
    }
    boolean copied = false;
    try {
      buffer.copyIn(at, header, content);
      copied = true;
    } finally {
      settleCopy(buffer, at, header, hour, copied);
    }
    return true;
  }

  /** The row of a block that is here, or null. */
  IndexRow row(BlockId id) {
    return rows.get(id);
  }

  /** Blocks of one content version that are here; version 0: of any. */
  Map<BlockId, IndexRow> of(long ino, long version) {
    if (rows.isEmpty()) {
      return Map.of();
    }
    var from = new BlockId(ino, version == 0 ? 1 : version, 0);
    var to = new BlockId(ino, version == 0 ? -1 : version, Integer.MAX_VALUE);
    return rows.subMap(from, true, to, true);
  }

  /** Copies a block's bytes; false: they are not here (any more). */
  boolean read(IndexRow row, MemorySegment target) {
    if (rows.isEmpty()) {
      return false;
    }
    StageBuffer holder = null;
    lock.lock();
    try {
      for (StageBuffer buffer : all) {
        holder = buffer.holds(row) ? buffer : holder;
      }
      if (holder == null) {
        return false;
      }
      holder.enter();
    } finally {
      lock.unlock();
    }
    try {
      holder.copyOut(row, target);
      return true;
    } finally {
      lock.lock();
      try {
        leave(holder);
      } finally {
        lock.unlock();
      }
    }
  }

  /** On return the block is not here any more: its row in the index can be changed. */
  void settle(BlockId id) {
    if (rows.containsKey(id)) {
      flush();
    }
  }

  /** On return all that was here at the call is written (or lost). */
  void flush() {
    lock.lock();
    try {
      seal();
      long upTo = sealedCount;
      while (writtenCount < upTo) {
        written.awaitUninterruptibly();
      }
    } finally {
      lock.unlock();
    }
  }

  void addTo(RowTotals totals) {
    lock.lock();
    try {
      totals.blocks += rows.size();
      totals.cleanBytes += bytes;
    } finally {
      lock.unlock();
    }
  }

  /** Whether the file system had no room for a buffer since it was last asked. */
  boolean takeDiskFull() {
    return diskFull.get() && diskFull.getAndSet(false);
  }

  /** Writes what is here and ends the thread. */
  @Override
  public void close() {
    lock.lock();
    try {
      closed = true;
      work.signal();
    } finally {
      lock.unlock();
    }
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
    arena.close();
  }

  /** The buffer that records go to, with room for one; null: none can be had. */
  private StageBuffer openFor(long need) {
    while (!closed) {
      if (open != null && open.fits(need)) {
        return open;
      }
      seal();
      StageBuffer buffer = unusedBuffer();
      if (buffer == null) {
        written.awaitUninterruptibly();
      } else if (!openAt(buffer, need)) {
        return null;
      }
    }
    return null;
  }

  private StageBuffer unusedBuffer() {
    if (free.isEmpty() && all.size() < BUFFERS) {
      var buffer = new StageBuffer(arena.allocate(StageBuffer.BYTES, StageBuffer.PAGE_BYTES));
      all.add(buffer);
      return buffer;
    }
    return free.poll();
  }

  /** Takes room for the most that padding can be, until that is known. */
  private boolean openAt(StageBuffer buffer, long need) {
    boolean room = space.take(StageBuffer.PAGE_BYTES);
    boolean opened = false;
    try {
      if (room) {
        Segment segment = segments.stageTo(StageBuffer.wholePages(need));
        long due = System.nanoTime() + MAX_AGE_NANOS;
        buffer.open(segment, segments.roomIn(segment), due);
        open = buffer;
        opened = true;
        work.signal();
      }
      return opened;
    } finally {
      if (!opened) {
        free.add(buffer);
      }
      if (room && !opened) {
        space.give(StageBuffer.PAGE_BYTES);
      }
    }
  }

  private void seal() {
    if (open != null) {
      open.seal();
      space.give(StageBuffer.PAGE_BYTES - open.padding());
      full.add(open);
      open = null;
      sealedCount++;
      work.signal();
    }
  }

  private void settleCopy(
      StageBuffer buffer, int at, RecordHeader header, int hour, boolean copied) {
    lock.lock();
    try {
      if (copied) {
        rows.put(header.id(), buffer.add(header, at, hour));
        bytes += header.length();
      } else {
        long lostBytes = SegmentFiles.recordBytes(header.length());
        buffer.erase(at, lostBytes);
        space.found(lostBytes); // the segment keeps the place; its giver gives the room back
      }
      leave(buffer);
    } finally {
      lock.unlock();
    }
  }

  private void leave(StageBuffer buffer) {
    buffer.leave();
    if (buffer.unused()) {
      left.signalAll();
    }
  }

  private void run() {
    StageBuffer buffer;
    while ((buffer = next()) != null) {
      boolean stored = false;
      try {
        awaitUnused(buffer);
        sink.store(buffer);
        stored = true;
      } catch (FsException failure) {
        diskFull.compareAndSet(false, failure.errno() == Errno.ENOSPC);
        LOG.log(Level.WARNING, "clean blocks can't be kept", failure);
      } catch (RuntimeException | Error failure) {
        LOG.log(Level.ERROR, "clean blocks can't be kept", failure);
      } finally {
        retire(buffer, stored);
      }
    }
  }

  /** The next buffer to write; null: closed, and nothing is left. */
  private StageBuffer next() {
    lock.lock();
    try {
      while (full.isEmpty()) {
        if (open == null && closed) {
          return null;
        }
        long wait = open == null ? Long.MAX_VALUE : open.dueNanos() - System.nanoTime();
        if (open != null && (closed || wait <= 0)) {
          seal();
        } else {
          long ignored = work.awaitNanos(wait);
          assert ignored <= wait;
        }
      }
      return full.poll();
    } catch (InterruptedException nobodyMeansThis) {
      return next();
    } finally {
      lock.unlock();
    }
  }

  private void awaitUnused(StageBuffer buffer) {
    lock.lock();
    try {
      while (!buffer.unused()) {
        left.awaitUninterruptibly();
      }
    } finally {
      lock.unlock();
    }
  }

  private void retire(StageBuffer buffer, boolean stored) {
    lock.lock();
    try {
      for (var row : buffer.rows().entrySet()) {
        rows.remove(row.getKey());
        bytes -= row.getValue().length();
      }
      if (!stored) {
        sink.lost(buffer.rows().size());
        segments.sealStaged();
      }
      buffer.segment().settled();
      buffer.clear();
      while (!buffer.unused()) {
        left.awaitUninterruptibly();
      }
      free.add(buffer);
      writtenCount++;
      written.signalAll();
    } finally {
      lock.unlock();
    }
  }
}
