package io.millrace.link;

import io.millrace.core.api.BlockId;
import io.millrace.core.api.BlockStore;
import io.millrace.core.api.ContentSource;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.core.api.Namespace;
import io.millrace.core.api.Pinned;
import io.millrace.proto.Inode;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * Brings content from the bucket: one GET per block, however many wait for it, straight into the
 * block store's memory. Any thread. Invariant: at most one flight per block is in {@link #flights}.
 *
 * <p>A reader's GET runs on a virtual thread of its own, which answers all who wait for the block:
 * no other thread is parked or woken for it. Interrupts and deadlines end a wait, never the GET. A
 * preload's runs on the preload's thread.
 */
public final class ObjectLoader implements ContentSource, AutoCloseable {
  private static final int KEY_CHANGES_FOLLOWED = 3;
  private static final long TICK_MIN = 10_000_000;
  private static final long TICK_MAX = 1_000_000_000;

  private final Namespace namespace;
  private final BlockStore store;
  private final LinkBuckets buckets;
  private final GetPermits permits;
  private final long readerDeadlineNanos;
  private final FailureReasons reasons = new FailureReasons();
  private final ConcurrentHashMap<BlockId, BlockFlight> flights = new ConcurrentHashMap<>();
  private final LongAdder gets = new LongAdder();
  private final Thread clock;
  private volatile boolean closed;

  ObjectLoader(Namespace namespace, BlockStore store, LinkBuckets buckets, LinkConfig config) {
    this.namespace = namespace;
    this.store = store;
    this.buckets = buckets;
    this.permits = new GetPermits(config.getsInFlight());
    this.readerDeadlineNanos = config.readerDeadline().toNanos();
    this.clock = Thread.ofVirtual().name("load-clock").start(this::watchDeadlines);
  }

  @Override
  public Pinned load(Inode inode, int index, int offset, int length, Urgency urgency) {
    return awaited(inode, index, answer -> waiter(inode, offset, length, urgency, answer));
  }

  @Override
  public void load(
      Inode inode, int index, int offset, int length, Urgency urgency, Receiver receiver) {
    board(inode, index, waiter(inode, offset, length, urgency, receiver));
  }

  /**
   * Brings a block for whoever reads it later, on this thread; nothing is read where it is here.
   *
   * @return whether it was missing
   * @throws FsException as {@link #load}; there is no deadline
   */
  boolean bring(Inode inode, int index) {
    var fresh = new BlockFlight(id(inode, index), inode, Urgency.PRELOAD, true);
    if (flights.putIfAbsent(fresh.id, fresh) != null) {
      awaited(inode, index, answer -> patient(inode, answer)).close();
      return true;
    }
    try {
      return fly(fresh, () -> store.contains(fresh.id) ? null : fetch(fresh));
    } catch (FsException e) {
      throw told(inode, e);
    }
  }

  private BlockWaiter waiter(
      Inode inode, int offset, int length, Urgency urgency, Receiver receiver) {
    long deadline = System.nanoTime() + readerDeadlineNanos;
    return new BlockWaiter(
        offset, length, urgency, OptionalLong.of(deadline), receiver, e -> told(inode, e));
  }

  private BlockWaiter patient(Inode inode, Receiver receiver) {
    return new BlockWaiter(
        0, 0, Urgency.PRELOAD, OptionalLong.empty(), receiver, e -> told(inode, e));
  }

  private Pinned awaited(Inode inode, int index, Function<Receiver, BlockWaiter> making) {
    var answer = new AwaitedBlock();
    BlockWaiter waiter = making.apply(answer);
    board(inode, index, waiter);
    try {
      return answer.await();
    } finally {
      waiter.leave();
    }
  }

  private static BlockId id(Inode inode, int index) {
    return new BlockId(inode.getIno(), inode.getObject().getStream(), index);
  }

  /** On the flight that brings the block, or on one of its own. */
  private void board(Inode inode, int index, BlockWaiter waiter) {
    BlockId id = id(inode, index);
    while (true) {
      BlockFlight flight = flights.get(id);
      if (flight == null) {
        var fresh = new BlockFlight(id, inode, waiter.urgency, false);
        fresh.join(waiter);
        flight = flights.putIfAbsent(id, fresh);
        if (flight == null) {
          Thread.ofVirtual().name("load").start(() -> flyForReaders(fresh));
          break;
        }
      }
      if (flight.join(waiter)) {
        permits.raise(flight.ticket, waiter.urgency);
        break;
      }
      flights.remove(id, flight);
    }
    if (closed) {
      turnAway();
    }
  }

  /** As the port promises its errors; what only time can mend is EIO after the deadline. */
  private FsException told(Inode inode, FsException failure) {
    return switch (failure.errno()) {
      case EINTR, ESTALE, EINVAL -> failure;
      case ETIMEDOUT, EAGAIN, ECONNREFUSED -> {
        String error = buckets.lastError(inode.getLink());
        reasons.put(
            inode.getIno(), "the bucket is away: " + (error.isEmpty() ? "no answer" : error));
        yield new FsException(failure, Errno.EIO, "the bucket is away", "cause", error);
      }
      default ->
          new FsException(
              failure, Errno.EIO, "content is not at hand", "cause", failure.getMessage());
    };
  }

  private void flyForReaders(BlockFlight flight) {
    try {
      fly(flight, () -> store.read(flight.id, 0, lengthOf(flight)).orElseGet(() -> fetch(flight)));
    } catch (FsException e) {
      // those who waited have been told
    }
  }

  /**
   * Ends the flight and answers all who wait, whatever happens.
   *
   * @param block the whole block; null where it is here but was not read
   * @return whether there was a block
   */
  private boolean fly(BlockFlight flight, Supplier<Pinned> block) {
    try {
      Pinned landed = block.get();
      if (landed == null) {
        boardAgain(flight);
        return false;
      }
      reasons.forget(flight.inode.getIno());
      flight.land(landed);
      return true;
    } catch (FsException e) {
      if (e.errno() == Errno.EINTR) {
        boardAgain(flight); // the thread that flew it is done with it, not those that wait
        Thread.currentThread().interrupt();
      } else {
        flight.crash(e);
      }
      throw e;
    } catch (RuntimeException | Error e) {
      var failure = new FsException(e, Errno.EIO, "load failed", "cause", e);
      flight.crash(failure);
      throw failure;
    } finally {
      flights.remove(flight.id, flight);
    }
  }

  private void boardAgain(BlockFlight flight) {
    for (BlockWaiter waiter : flight.abandon()) {
      board(flight.inode, flight.id.index(), waiter);
    }
  }

  /** One clock for all who wait: H22 costs a read no timer of its own. */
  private void watchDeadlines() {
    var pause = Duration.ofNanos(Math.clamp(readerDeadlineNanos / 16, TICK_MIN, TICK_MAX));
    try {
      while (!closed) {
        Thread.sleep(pause);
        long now = System.nanoTime();
        flights.values().forEach(flight -> flight.leaveLate(now).forEach(w -> tooLate(flight, w)));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // closed
    }
  }

  private static void tooLate(BlockFlight flight, BlockWaiter waiter) {
    waiter.fail(
        new FsException(Errno.ETIMEDOUT, "the bucket did not answer in time", "block", flight.id));
  }

  /** Nobody waits for the bucket any more; GETs under way end with their connections. */
  @Override
  public void close() {
    closed = true;
    clock.interrupt();
    turnAway();
  }

  private void turnAway() {
    for (BlockFlight flight : flights.values()) {
      flight.crash(new FsException(Errno.EIO, "the node stops", "block", flight.id));
    }
  }

  private Pinned fetch(BlockFlight flight) {
    int length = lengthOf(flight);
    Inode inode = flight.inode;
    for (int follow = 0; ; follow++) {
      String key = key(inode);
      Inode now = inode;
      try {
        LinkBucket link = buckets.of(inode.getLink());
        return link.backOff().retrying(() -> get(flight, link, key, now, length), flight::wanted);
      } catch (FsException e) {
        if (e.errno() != Errno.ENOENT && e.errno() != Errno.ESTALE) {
          throw remembered(flight, key, e);
        }
        Optional<Inode> moved = moved(inode, key);
        if (moved.isEmpty() || follow == KEY_CHANGES_FOLLOWED) {
          throw remembered(flight, key, e);
        }
        inode = moved.get();
      }
    }
  }

  /** The etag tells where the inode was renamed since and another object has its key. */
  private String key(Inode inode) {
    return inode.getObject().getEtag().isEmpty()
        ? namespace.objectKey(inode.getIno())
        : namespace.objectKey(inode);
  }

  private Pinned get(BlockFlight flight, LinkBucket link, String key, Inode inode, int length) {
    try {
      permits.acquire(flight.ticket);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new FsException(e, Errno.EINTR, "interrupted before the GET");
    }
    try (BlockStore.Draft draft = store.begin(flight.id, length, BlockStore.Kind.CLEAN)) {
      gets.increment();
      String etag = inode.getObject().getEtag().toStringUtf8();
      long offset = (long) flight.id.index() * BlockId.MAX_BYTES;
      int read = link.bucket().get(key, etag, offset, draft.bytes());
      if (read != length) {
        throw new FsException(Errno.ESTALE, "object has another size", "key", key, "read", read);
      }
      return draft.commit();
    } finally {
      permits.release();
    }
  }

  /** The inode as it is now, where its export or rename has given the same bytes another place. */
  private Optional<Inode> moved(Inode inode, String key) {
    Inode now = namespace.inode(inode.getIno());
    boolean sameBytes = now.getObject().getStream() == inode.getObject().getStream();
    boolean elsewhere =
        !now.getObject().getEtag().equals(inode.getObject().getEtag())
            || !namespace.objectKey(inode.getIno()).equals(key);
    return sameBytes && elsewhere ? Optional.of(now) : Optional.empty();
  }

  private FsException remembered(BlockFlight flight, String key, FsException failure) {
    long ino = flight.inode.getIno();
    switch (failure.errno()) {
      case ENOENT -> reasons.put(ino, "the object is gone from the bucket: " + key);
      case ESTALE -> reasons.put(ino, "the object was replaced in the bucket: " + key);
      case EINTR, EAGAIN, ETIMEDOUT, ECONNREFUSED -> {}
      default -> reasons.put(ino, failure.getMessage());
    }
    return failure;
  }

  private static int lengthOf(BlockFlight flight) {
    long start = (long) flight.id.index() * BlockId.MAX_BYTES;
    long left = flight.inode.getObject().getSize() - start;
    if (left <= 0) {
      throw new FsException(Errno.EINVAL, "block after the object's end", "block", flight.id);
    }
    return (int) Math.min(BlockId.MAX_BYTES, left);
  }

  /** Why the last load of this inode's content failed; empty after a success. */
  public Optional<String> reason(long ino) {
    return reasons.of(ino);
  }

  /** GETs sent since the start, repeats included. */
  public long gets() {
    return gets.sum();
  }
}
