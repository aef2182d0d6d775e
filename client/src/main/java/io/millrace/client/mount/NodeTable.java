package io.millrace.client.mount;

import io.millrace.fuse.LookupCounts;

/**
 * What the client remembers of each inode the kernel holds: one long beside its lookup count. The
 * only per-inode state that lives as long as the kernel's; so it holds facts about leases and about
 * the kernel's page cache, never attributes.
 *
 * <p>Any thread. The long is changed only here, under one of the stripes. Invariant: with {@code
 * PAGES_MATCH} every page the kernel caches of the inode is of the content sequence remembered
 * (H24); without, they may be of any.
 */
final class NodeTable {
  /** The node tells us before the content changes. */
  static final long CONTENT_LEASE = 1L << 60;

  /** The node tells us of changes to this directory's entries and their attributes. */
  static final long DIRECTORY_LEASE = 1L << 61;

  static final long PAGES_MATCH = 1L << 62;

  /** The kernel asks for capabilities before writes and for ACLs: we know the answer. */
  static final long NO_XATTRS = 1L << 59;

  /** Pages were dropped, and may have been read again since without our knowing their sequence. */
  private static final long DOUBT = 1L << 58;

  private static final long SEQ_MASK = (1L << 56) - 1;
  private static final int STRIPES = 64;

  private final LookupCounts counts;
  private final Object[] stripes = new Object[STRIPES];

  NodeTable(LookupCounts counts) {
    this.counts = counts;
    for (int i = 0; i < STRIPES; i++) {
      stripes[i] = new Object();
    }
  }

  LookupCounts counts() {
    return counts;
  }

  /** All facts; 0 where the kernel doesn't hold the inode. */
  long facts(long ino) {
    return counts.value(ino, 0);
  }

  static boolean has(long facts, long fact) {
    return (facts & fact) != 0;
  }

  /** Whether the content sequence is known. */
  static boolean knowsSeq(long facts) {
    return (facts & SEQ_MASK) != 0;
  }

  static long seq(long facts) {
    return (facts & SEQ_MASK) - 1;
  }

  /** Sets and clears facts; false where the kernel doesn't hold the inode (any more). */
  boolean change(long ino, long set, long clear) {
    synchronized (stripe(ino)) {
      long before = counts.value(ino, -1);
      if (before == -1) {
        return false;
      }
      long after = (before & ~clear) | set;
      return after == before || counts.setValue(ino, after);
    }
  }

  /**
   * The content is {@code seq} as the node says.
   *
   * @return the facts after; 0 where the kernel doesn't hold the inode
   */
  long contentIs(long ino, long seq, boolean leased) {
    synchronized (stripe(ino)) {
      long before = counts.value(ino, -1);
      if (before == -1) {
        return 0;
      }
      boolean first = !knowsSeq(before) && !has(before, DOUBT);
      boolean same = knowsSeq(before) && seq(before) == seq;
      long after = (before & ~(SEQ_MASK | DOUBT)) | stored(seq);
      if (first) {
        after |= PAGES_MATCH;
      } else if (!same) {
        after &= ~PAGES_MATCH;
      }
      after = leased ? after | CONTENT_LEASE : after;
      counts.setValue(ino, after);
      return after;
    }
  }

  /** Our own change made the content {@code seq}: pages follow if nobody else came between. */
  void ownChange(long ino, long seq) {
    synchronized (stripe(ino)) {
      long before = counts.value(ino, -1);
      if (before == -1) {
        return;
      }
      boolean known = knowsSeq(before);
      boolean alone = known ? seq(before) == seq - 1 || seq(before) == seq : !has(before, DOUBT);
      long after = (before & ~SEQ_MASK) | stored(seq);
      after = alone ? after : after & ~(PAGES_MATCH | CONTENT_LEASE);
      counts.setValue(ino, known || !alone ? after : after | PAGES_MATCH);
    }
  }

  /** Pages were dropped, or will be before anyone relies on this; the lease is gone. */
  void contentLost(long ino) {
    synchronized (stripe(ino)) {
      long before = counts.value(ino, -1);
      if (before != -1) {
        counts.setValue(
            ino, (before & ~(SEQ_MASK | PAGES_MATCH | CONTENT_LEASE | NO_XATTRS)) | DOUBT);
      }
    }
  }

  private static long stored(long seq) {
    return (seq + 1) & SEQ_MASK;
  }

  private Object stripe(long ino) {
    return stripes[(int) ((ino * 0x9E3779B97F4A7C15L) >>> 58)];
  }
}
