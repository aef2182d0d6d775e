package io.millrace.node;

import io.millrace.proto.Inode;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * Inodes looked at lately, so that an open and a read after a lookup, and a hit in L1, need no
 * RocksDB and can be answered on an event loop. A fixed number of places, each for whatever inode
 * hashes there. Any thread.
 *
 * <p>Invariant: what {@link #get} gives is no older than the last {@link #invalidate} of its inode
 * that returned. A reader takes the stamp before it reads the namespace; a change moves the stamp,
 * and what has another stamp is not given. Changes invalidate before their notices look for leases:
 * so who was granted a lease and then got an inode here hears of what it does not show.
 */
final class InodeCache {
  private static final int PLACES = 8 << 10;

  /** An inode as it was at a stamp. */
  static final class Known {
    final Inode inode;
    private final long stamp;
    private volatile boolean cold;

    private Known(Inode inode, long stamp) {
      this.inode = inode;
      this.stamp = stamp;
    }

    /** No content of it was here: a hint, which saves the next look. */
    void foundCold() {
      cold = true;
    }

    boolean isCold() {
      return cold;
    }

    /** The hint, for who has content brought: the look after that is a real one again. */
    boolean takeCold() {
      boolean was = cold;
      cold = false;
      return was;
    }
  }

  private final AtomicReferenceArray<Known> places = new AtomicReferenceArray<>(PLACES);
  private final AtomicLongArray stamps = new AtomicLongArray(PLACES);

  /** Null where it is not here. */
  Known get(long ino) {
    int place = place(ino);
    Known known = places.get(place);
    boolean valid =
        known != null && known.inode.getIno() == ino && known.stamp == stamps.get(place);
    return valid ? known : null;
  }

  long stamp(long ino) {
    return stamps.get(place(ino));
  }

  Known put(Inode inode, long stampBefore) {
    var known = new Known(inode, stampBefore);
    places.set(place(inode.getIno()), known);
    return known;
  }

  void invalidate(long ino) {
    int place = place(ino);
    stamps.incrementAndGet(place);
    places.set(place, null);
  }

  private static int place(long ino) {
    return (int) ((ino * 0x9E3779B97F4A7C15L) >>> 51) & (PLACES - 1);
  }
}
