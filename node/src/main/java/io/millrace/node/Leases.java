package io.millrace.node;

import io.millrace.proto.NoticeItem;
import java.util.BitSet;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Grants of leases, and who must hear of a change. A grant comes before the state that is answered
 * is read: so a change either is in that state, or its notice finds the grant. {@link #stamp} tells
 * whether anything changed between a look and a later grant.
 */
final class Leases {
  private final LeaseTable directories;
  private final LeaseTable content;
  private final AtomicLong changes = new AtomicLong();

  Leases(NodeConfig config) {
    this.directories = new LeaseTable(config.directoryLeasesMax());
    this.content = new LeaseTable(config.contentLeasesMax());
  }

  LeaseTable directories() {
    return directories;
  }

  LeaseTable content() {
    return content;
  }

  /** Grows with each committed change, before {@link InodeCache} forgets and notices are made. */
  long stamp() {
    return changes.get();
  }

  void changed() {
    changes.incrementAndGet();
  }

  /** False where the table is full: the client must not cache. No session: no lease. */
  boolean grantContent(ClientSession session, long ino) {
    return session != null && session.grantContent(ino, content);
  }

  boolean grantDirectory(ClientSession session, long dir) {
    return session == null || dir == 0 || directories.grant(dir, session.slot);
  }

  void release(ClientSession session, List<Long> dirs, List<Long> inodes) {
    dirs.forEach(dir -> directories.release(dir, session.slot));
    inodes.forEach(ino -> content.release(ino, session.slot));
  }

  void releaseAll(int slot) {
    directories.releaseAll(slot);
    content.releaseAll(slot);
  }

  boolean leased(long ino) {
    return directories.heldByAny(ino) || content.heldByAny(ino);
  }

  /** The slots of the sessions that may have cached what the item says has changed. */
  BitSet holders(NoticeItem item) {
    var slots = new BitSet();
    switch (item.getKind()) {
      case ENTRY_CHANGED -> directories.collect(item.getDir(), slots);
      case ENTRY_DELETED -> {
        directories.collect(item.getDir(), slots);
        content.collect(item.getIno(), slots);
      }
      case ATTR_CHANGED -> {
        directories.collect(item.getDir(), slots);
        directories.collect(item.getIno(), slots);
        content.collect(item.getIno(), slots);
      }
      case CONTENT_CHANGED, CONTENT_RECALL -> content.collect(item.getIno(), slots);
      case UNRECOGNIZED -> throw new IllegalArgumentException("no such notice");
    }
    return slots;
  }
}
