package io.millrace.client;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The off-heap memory of all write-back, in two sizes under one hard limit. At the limit {@link
 * #tryTake} gives null: the writer sends what is dirty and waits for room. Any thread. Invariant:
 * bytes of buffers out and idle together never exceed the limit.
 */
public final class WriteBuffers implements AutoCloseable {
  static final int SMALL_BYTES = 128 << 10;
  static final int LARGE_BYTES = 4 << 20;

  /** Memory lent to one chunk; {@link #giveBack} ends it. */
  static final class Buffer {
    final MemorySegment bytes;
    private final Arena arena;

    @SuppressWarnings("MustBeClosedChecker") // free() closes it
    Buffer(int size) {
      arena = Arena.ofShared();
      bytes = arena.allocate(size, 4096);
    }

    boolean isLarge() {
      return bytes.byteSize() == LARGE_BYTES;
    }

    private void free() {
      arena.close();
    }
  }

  private final long limitBytes;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition returned = lock.newCondition();
  private final ArrayDeque<Buffer> idleSmall = new ArrayDeque<>();
  private final ArrayDeque<Buffer> idleLarge = new ArrayDeque<>();
  private long allocatedBytes;
  private long lentBytes;
  private long returns;
  private boolean closed;

  public WriteBuffers(long limitBytes) {
    if (limitBytes < 2L * LARGE_BYTES) {
      throw new IllegalArgumentException("write-back needs at least 8 MiB: " + limitBytes);
    }
    this.limitBytes = limitBytes;
  }

  Buffer tryTake(boolean large) {
    lock.lock();
    try {
      Buffer buffer = (large ? idleLarge : idleSmall).poll();
      int size = large ? LARGE_BYTES : SMALL_BYTES;
      if (buffer == null && makeRoom(size)) {
        buffer = new Buffer(size);
        allocatedBytes += size;
      }
      lentBytes += buffer == null ? 0 : size;
      return buffer;
    } finally {
      lock.unlock();
    }
  }

  /** Frees idle buffers of the other size where they are in the way. */
  private boolean makeRoom(int size) {
    ArrayDeque<Buffer> others = size == LARGE_BYTES ? idleSmall : idleLarge;
    while (allocatedBytes + size > limitBytes && !others.isEmpty()) {
      Buffer victim = others.poll();
      allocatedBytes -= victim.bytes.byteSize();
      victim.free();
    }
    return allocatedBytes + size <= limitBytes;
  }

  void giveBack(Buffer buffer) {
    lock.lock();
    try {
      lentBytes -= buffer.bytes.byteSize();
      if (closed) {
        buffer.free();
      } else {
        (buffer.isLarge() ? idleLarge : idleSmall).push(buffer);
      }
      returns++;
      returned.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** A number that grows with each buffer given back; for {@link #awaitReturn}. */
  long returns() {
    lock.lock();
    try {
      return returns;
    } finally {
      lock.unlock();
    }
  }

  /** Waits until a buffer came back after {@code seen} was read. */
  void awaitReturn(long seen) throws InterruptedException {
    lock.lock();
    try {
      while (returns == seen && lentBytes > 0) {
        returned.await();
      }
    } finally {
      lock.unlock();
    }
  }

  /** Bytes that hold data not yet stored by the node. */
  public long lentBytes() {
    lock.lock();
    try {
      return lentBytes;
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void close() {
    lock.lock();
    try {
      closed = true;
      idleSmall.forEach(Buffer::free);
      idleLarge.forEach(Buffer::free);
      idleSmall.clear();
      idleLarge.clear();
    } finally {
      lock.unlock();
    }
  }
}
