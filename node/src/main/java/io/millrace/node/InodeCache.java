package io.millrace.node;

import io.millrace.proto.Inode;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * Inodes read lately, so that a hit in L1 needs no RocksDB and can be answered on an event loop. A
 * fixed number of places, each for whatever inode hashes there. Any thread.
 *
 * <p>Invariant: what {@link #get} gives is no older than the last {@link #invalidate} of its inode
 * that returned. A reader takes the stamp before it reads the namespace; a change between moves the
 * stamp, and the place stays empty.
 */
final class InodeCache {
  private static final int PLACES = 8 << 10;

  private final AtomicReferenceArray<Inode> inodes = new AtomicReferenceArray<>(PLACES);
  private final AtomicLongArray stamps = new AtomicLongArray(PLACES);

  /** Null where it is not here. */
  Inode get(long ino) {
    Inode inode = inodes.get(place(ino));
    return inode != null && inode.getIno() == ino ? inode : null;
  }

  long stamp(long ino) {
    return stamps.get(place(ino));
  }

  void put(Inode inode, long stampBefore) {
    int place = place(inode.getIno());
    inodes.set(place, inode);
    if (stamps.get(place) != stampBefore) {
      inodes.compareAndSet(place, inode, null);
    }
  }

  void invalidate(long ino) {
    int place = place(ino);
    stamps.incrementAndGet(place);
    inodes.set(place, null);
  }

  private static int place(long ino) {
    return (int) ((ino * 0x9E3779B97F4A7C15L) >>> 51) & (PLACES - 1);
  }
}
