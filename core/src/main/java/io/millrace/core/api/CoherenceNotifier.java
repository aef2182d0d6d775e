package io.millrace.core.api;

import io.millrace.proto.NoticeItem;
import java.util.List;
import java.util.Set;

/**
 * How background work (import, evict) keeps clients' caches true: it changes the namespace without
 * a client having asked, so the holders of leases must be told. Safe for many threads; blocks.
 */
public interface CoherenceNotifier {

  /**
   * Tells every client that holds a lease on what the items name, after the change was committed,
   * and returns when all have answered or the lease time has passed.
   */
  void changed(List<NoticeItem> items);

  /**
   * Takes content leases back, except where the file is open.
   *
   * @return those of the inodes that are still in use (S20, H10)
   */
  Set<Long> recall(List<Long> inodes);

  /** Whether any client holds a lease on this directory, or on this inode's content (H12). */
  default boolean leased(long ino) {
    return true;
  }

  /** Whether a client has written to this inode and not closed it yet, as far as is known (S19). */
  default boolean beingWritten(long ino) {
    return false;
  }
}
