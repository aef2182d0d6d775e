package io.millrace.client;

import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Keeps one sequential reader supplied: pieces of the file ahead of it are asked for before it
 * wants them, in a window that doubles while the reader goes on. A reader that jumps has none. The
 * pieces are the node's replies, pinned as they came: no copy.
 *
 * <p>Any thread. Invariant: pieces are in the order of the file, without gaps; each holds its bytes
 * of the budget from being asked for until it is closed. What changed under it is dropped: {@link
 * Source#isFresh} tells.
 */
public final class ReadAhead implements AutoCloseable {
  static final int PIECE_BYTES = 1 << 20;
  static final int WINDOW_MIN = 256 << 10;
  static final int WINDOW_MAX = 16 << 20;

  /** The kernel's own read-ahead comes in several requests, out of order by this much at most. */
  private static final int SLACK = 2 << 20;

  private static final int STREAK_MIN = 2;

  /** Where the bytes come from; must not block. */
  interface Source {
    /** Answers {@link ReadAhead#arrived} once, soon or at once. */
    void fetch(long offset, int length, Piece piece);

    /** A read that the window has nothing for. */
    void readDirectly(long offset, int length, ReadSink sink);

    long now();

    /** Whether the file's content is what it was then. */
    boolean isFresh(long since);
  }

  /** A part of the file that was asked for. Guarded by the lock, its bytes by their pin. */
  static final class Piece {
    private final long offset;
    private final int length;
    private SharedPin bytes;
    private boolean failed;
    private boolean dropped;

    Piece(long offset, int length) {
      this.offset = offset;
      this.length = length;
    }

    long end() {
      return offset + length;
    }
  }

  private record Waiter(long offset, int length, ReadSink sink) {}

  private final Source source;
  private final ReadAheadBudget budget;
  private final ReentrantLock lock = new ReentrantLock();
  private final ArrayDeque<Piece> pieces = new ArrayDeque<>();
  private final List<Waiter> waiters = new ArrayList<>();
  private long frontier;
  private int streak;
  private long window = WINDOW_MIN;
  private long fileBytes;
  private long since;
  private boolean closed;

  ReadAhead(Source source, ReadAheadBudget budget) {
    this.source = source;
    this.budget = budget;
    this.since = source.now();
  }

  /** The length of the file, as the last reply told; nothing beyond it is asked for. */
  void fileBytes(long bytes) {
    lock.lock();
    try {
      fileBytes = bytes;
    } finally {
      lock.unlock();
    }
  }

  /** Serves the read from the window, or directly, and asks for what comes next. */
  void read(long offset, int length, ReadSink sink) {
    List<Piece> wanted;
    Serving serving;
    lock.lock();
    try {
      if (!source.isFresh(since)) {
        dropAll();
        since = source.now();
      }
      follow(offset, length);
      serving = serve(new Waiter(offset, length, sink));
      wanted = extend();
    } finally {
      lock.unlock();
    }
    serving.run();
    for (Piece piece : wanted) {
      source.fetch(piece.offset, piece.length, piece);
    }
  }

  private void follow(long offset, int length) {
    long end = offset + length;
    if (offset <= frontier + SLACK && end + SLACK >= frontier && (frontier > 0 || offset == 0)) {
      streak += end > frontier ? 1 : 0;
      frontier = Math.max(frontier, end);
      window = streak > STREAK_MIN ? Math.min(window * 2, WINDOW_MAX) : window;
    } else {
      streak = 0;
      window = WINDOW_MIN;
      frontier = end;
      dropAll();
    }
    while (!pieces.isEmpty() && pieces.peekFirst().end() + SLACK < frontier) {
      drop(pieces.pollFirst());
    }
  }

  private List<Piece> extend() {
    var wanted = new ArrayList<Piece>();
    if (streak < STREAK_MIN || closed) {
      return wanted;
    }
    if (!pieces.isEmpty() && pieces.peekLast().end() < frontier) {
      dropAll();
    }
    long next = pieces.isEmpty() ? frontier : pieces.peekLast().end();
    while (next < Math.min(fileBytes, frontier + window)) {
      long aligned = (next / PIECE_BYTES + 1) * PIECE_BYTES;
      int length = (int) (Math.min(aligned, fileBytes) - next);
      if (!budget.tryTake(length)) {
        break;
      }
      var piece = new Piece(next, length);
      pieces.add(piece);
      wanted.add(piece);
      next += length;
    }
    return wanted;
  }

  /** What is to be done with a read once the lock is released. */
  private sealed interface Serving {
    void run();

    /** The reply gives it later. */
    record Later() implements Serving {
      @Override
      public void run() {}
    }

    record Directly(Source source, Waiter waiter) implements Serving {
      @Override
      public void run() {
        source.readDirectly(waiter.offset, waiter.length, waiter.sink);
      }
    }

    /** Slices of pins that were retained under the lock. */
    record Now(ReadSink sink, List<MemorySegment> parts, List<SharedPin> pins) implements Serving {
      @Override
      public void run() {
        try {
          sink.bytes(parts.toArray(new MemorySegment[0]), parts.size());
        } finally {
          pins.forEach(SharedPin::release);
        }
      }
    }
  }

  private Serving serve(Waiter waiter) {
    long at = waiter.offset;
    long end = Math.min(at + waiter.length, Math.max(fileBytes, at));
    var touched = new ArrayList<Piece>(2);
    for (Piece piece : pieces) {
      if (piece.offset <= at && at < piece.end() && at < end) {
        touched.add(piece);
        at = piece.end();
      }
    }
    if (touched.isEmpty() || at < end || touched.stream().anyMatch(p -> p.failed)) {
      return new Serving.Directly(source, waiter);
    }
    if (touched.stream().anyMatch(p -> p.bytes == null)) {
      waiters.add(waiter);
      return new Serving.Later();
    }
    return cut(waiter, end, touched);
  }

  private static Serving cut(Waiter waiter, long end, List<Piece> touched) {
    var parts = new ArrayList<MemorySegment>(touched.size());
    var pins = new ArrayList<SharedPin>(touched.size());
    for (Piece piece : touched) {
      long from = Math.max(waiter.offset, piece.offset) - piece.offset;
      long to = Math.min(end, piece.end()) - piece.offset;
      piece.bytes.retain();
      pins.add(piece.bytes);
      parts.add(piece.bytes.bytes().asSlice(from, to - from));
    }
    return new Serving.Now(waiter.sink, parts, pins);
  }

  /**
   * The answer to {@link Source#fetch}.
   *
   * @param bytes null where it failed; ours to release
   */
  void arrived(Piece piece, SharedPin bytes) {
    var served = new ArrayList<Serving>();
    lock.lock();
    try {
      if (bytes != null && (piece.dropped || bytes.bytes().byteSize() != piece.length)) {
        bytes.release();
        piece.failed = true;
      } else {
        piece.bytes = bytes;
        piece.failed = bytes == null;
      }
      if (!waiters.isEmpty()) {
        var again = List.copyOf(waiters);
        waiters.clear();
        again.forEach(w -> served.add(serve(w)));
      }
    } finally {
      lock.unlock();
    }
    served.forEach(Serving::run);
  }

  private void dropAll() {
    pieces.forEach(this::drop);
    pieces.clear();
  }

  private void drop(Piece piece) {
    piece.dropped = true;
    budget.giveBack(piece.length);
    if (piece.bytes != null) {
      piece.bytes.release();
    }
  }

  /** Reads that wait are answered when their pieces arrive. */
  @Override
  public void close() {
    lock.lock();
    try {
      closed = true;
      dropAll();
    } finally {
      lock.unlock();
    }
  }
}
