package io.millrace.link;

import io.millrace.core.api.BlockId;
import io.millrace.core.api.BlockStore;
import io.millrace.core.api.ContentSource;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.core.api.Namespace;
import io.millrace.core.api.Pinned;
import io.millrace.proto.Inode;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;

/**
 * Brings content from the bucket: one GET per block, however many wait for it, straight into the
 * block store's memory. Any thread. Invariant: at most one flight per block is in {@link #flights}.
 *
 * <p>A reader's GET runs on a virtual thread of its own, so that an interrupted reader is answered
 * at once and the others still get their bytes; a preload's runs on the preload's.
 */
public final class ObjectLoader implements ContentSource {
  private static final int KEY_CHANGES_FOLLOWED = 3;

  private final Namespace namespace;
  private final BlockStore store;
  private final LinkBuckets buckets;
  private final GetPermits permits;
  private final long readerDeadlineNanos;
  private final FailureReasons reasons = new FailureReasons();
  private final ConcurrentHashMap<BlockId, BlockFlight> flights = new ConcurrentHashMap<>();
  private final LongAdder gets = new LongAdder();

  ObjectLoader(Namespace namespace, BlockStore store, LinkBuckets buckets, LinkConfig config) {
    this.namespace = namespace;
    this.store = store;
    this.buckets = buckets;
    this.permits = new GetPermits(config.getsInFlight());
    this.readerDeadlineNanos = config.readerDeadline().toNanos();
  }

  @Override
  public Pinned load(Inode inode, int index, int offset, int length, Urgency urgency) {
    var id = new BlockId(inode.getIno(), inode.getObject().getStream(), index);
    while (true) {
      BlockFlight flight = flights.get(id);
      boolean mine = false;
      if (flight == null) {
        var fresh = new BlockFlight(id, inode, urgency);
        flight = flights.putIfAbsent(id, fresh);
        mine = flight == null;
        flight = mine ? fresh : flight;
      }
      Optional<Pinned> bytes =
          flight.join()
              ? awaited(flight, mine, offset, length, urgency)
              : afterLanding(flight, offset, length);
      if (bytes.isPresent()) {
        return bytes.get();
      }
    }
  }

  private Optional<Pinned> afterLanding(BlockFlight flight, int offset, int length) {
    flights.remove(flight.id, flight);
    return store.read(flight.id, offset, length);
  }

  /** Empty: whoever flew it was interrupted, not we. */
  private Optional<Pinned> awaited(
      BlockFlight flight, boolean mine, int offset, int length, Urgency urgency) {
    if (!mine) {
      permits.raise(flight.ticket, urgency);
    } else if (urgency == Urgency.PRELOAD) {
      fly(flight);
    } else {
      Thread.ofVirtual().name("load").start(() -> fly(flight));
    }
    try {
      long nanos = urgency == Urgency.PRELOAD ? 0 : readerDeadlineNanos;
      return Optional.of(flight.await(nanos, offset, length));
    } catch (FsException e) {
      if (e.errno() == Errno.EINTR && !Thread.currentThread().isInterrupted()) {
        return Optional.empty();
      }
      throw told(flight.inode, e);
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

  private void fly(BlockFlight flight) {
    try {
      Pinned block = fetch(flight);
      reasons.forget(flight.inode.getIno());
      flight.land(block);
    } catch (FsException e) {
      if (e.errno() == Errno.EINTR) {
        Thread.currentThread().interrupt();
      }
      flight.crash(e);
    } catch (RuntimeException | Error e) {
      flight.crash(new FsException(e, Errno.EIO, "load failed", "cause", e));
    } finally {
      flights.remove(flight.id, flight);
    }
  }

  private Pinned fetch(BlockFlight flight) {
    int length = lengthOf(flight);
    Optional<Pinned> landed = store.read(flight.id, 0, length);
    if (landed.isPresent()) {
      return landed.get();
    }
    Inode inode = flight.inode;
    for (int follow = 0; ; follow++) {
      String key = namespace.objectKey(inode.getIno());
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
