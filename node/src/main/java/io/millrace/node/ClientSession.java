package io.millrace.node;

import io.millrace.core.wire.RequestHandler.Peer;
import io.millrace.proto.NoticeItem;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

/**
 * One client, over all its lines. Its lock guards the notices it owes and the mutations of its own
 * that wait for others; callbacks run outside of it.
 *
 * <p>Invariant (H7): no mutation of this session waits while it owes an acknowledgement.
 */
final class ClientSession {
  private static final int WRITING_MAX = 64 << 10;

  final long id;

  /** Upper half of the content versions it makes. */
  final int number;

  /** Its bit in the lease tables. */
  final int slot;

  private final Map<Long, SentNotice> owed = new LinkedHashMap<>();
  private final List<Announcement> waiting = new ArrayList<>();
  private final Set<Long> writing = ConcurrentHashMap.newKeySet();
  private volatile boolean owes;
  private volatile Peer peer;
  private volatile long heardNanos;
  private volatile int leaseEpoch;
  private volatile boolean opensUnknown;

  /**
   * What it has said so far that it has open, while its list is on its way. Under Orphans' lock.
   */
  final Set<Long> reclaimed = new HashSet<>();

  private volatile boolean ended;
  private final Consumer<ClientSession> leasesEnded;

  /**
   * @param leasesEnded what else ends with its leases
   */
  ClientSession(long id, int number, int slot, Consumer<ClientSession> leasesEnded) {
    this.leasesEnded = leasesEnded;
    this.id = id;
    this.number = number;
    this.slot = slot;
    this.heardNanos = System.nanoTime();
  }

  void heard() {
    heardNanos = System.nanoTime();
  }

  /** A client of the same process lives as long as the node. */
  long silentNanos(long nowNanos) {
    Peer line = peer;
    return line != null && line.mayBlock() ? 0 : nowNanos - heardNanos;
  }

  /** Grows each time the session loses its leases. */
  int leaseEpoch() {
    return leaseEpoch;
  }

  /** Which files it has open is to be heard from it: it lost its leases. */
  boolean opensUnknown() {
    return opensUnknown;
  }

  void opensUnknown(boolean unknown) {
    opensUnknown = unknown;
  }

  boolean ended() {
    return ended;
  }

  boolean connected() {
    return peer != null;
  }

  /** Notices that were not acknowledged are pushed again: the line before may have lost them. */
  synchronized void connect(Peer line) {
    peer = line;
    owed.values().forEach(notice -> line.push(notice.notice));
  }

  synchronized void disconnect(Peer line) {
    if (line.equals(peer)) {
      peer = null;
    }
  }

  /** Pushes a notice; mutations of this session that wait are answered now. */
  void owe(SentNotice notice) {
    List<Announcement> freed;
    Peer line;
    synchronized (this) {
      owed.put(notice.notice.getId(), notice);
      owes = true;
      freed = List.copyOf(waiting);
      waiting.clear();
      line = peer;
    }
    freed.forEach(Announcement::answerNow);
    if (line != null) {
      line.push(notice.notice);
    }
  }

  int owedCount() {
    return owes ? sizeOfOwed() : 0;
  }

  private synchronized int sizeOfOwed() {
    return owed.size();
  }

  /** Its mutation waits for others, unless it owes an acknowledgement itself. */
  void await(Announcement announcement) {
    boolean free;
    synchronized (this) {
      free = !owed.isEmpty() || ended;
      if (!free) {
        waiting.removeIf(Announcement::answered);
        waiting.add(announcement);
      }
    }
    if (free) {
      announcement.answerNow();
    }
  }

  /** Takes the acknowledgement and the leases it gives back, as one step. */
  void acknowledge(long noticeId, Set<Long> open, Leases leases) {
    SentNotice notice;
    synchronized (this) {
      notice = owed.remove(noticeId);
      owes = !owed.isEmpty();
      if (notice == null) {
        return;
      }
      for (NoticeItem item : notice.notice.getItemsList()) {
        long ended = notice.endedContentLease(item, open);
        if (ended != 0) {
          leases.content().release(ended, slot);
        }
        if (SentNotice.endsDirectoryLease(item)) {
          leases.directories().release(item.getDir(), slot);
        }
      }
    }
    notice.announcement.acknowledged(this, open);
  }

  /** Grants a content lease that an acknowledgement on its way doesn't end. */
  boolean grantContent(long ino, LeaseTable content) {
    if (!owes) {
      return content.grant(ino, slot);
    }
    synchronized (this) {
      owed.values().forEach(notice -> notice.granted(ino));
      return content.grant(ino, slot);
    }
  }

  /** Whether an acknowledgement is overdue. */
  synchronized boolean overdue(long nowNanos, long leaseNanos) {
    if (owed.isEmpty()) {
      return false;
    }
    boolean fencedItself = peer == null && nowNanos - heardNanos >= leaseNanos;
    return fencedItself || nowNanos - owed.values().iterator().next().deadlineNanos >= 0;
  }

  /**
   * All its leases are void: what waits for its acknowledgements goes on, and its line is cut, so
   * that it learns of it before anything else.
   */
  void fence(Leases leases) {
    Collection<SentNotice> unanswered;
    Peer line;
    synchronized (this) {
      leaseEpoch++;
      opensUnknown = true;
      leases.releaseAll(slot);
      unanswered = List.copyOf(owed.values());
      owed.clear();
      owes = false;
      line = peer;
      peer = null;
    }
    if (line != null) {
      line.close();
    }
    leasesEnded.accept(this);
    unanswered.forEach(notice -> notice.announcement.acknowledged(this, Set.of()));
  }

  void end(Leases leases) {
    ended = true;
    List<Announcement> freed;
    synchronized (this) {
      freed = List.copyOf(waiting);
      waiting.clear();
    }
    fence(leases);
    freed.forEach(Announcement::answerNow);
  }

  void writes(long ino) {
    if (writing.size() < WRITING_MAX) {
      writing.add(ino);
    }
  }

  void wrote(long ino) {
    writing.remove(ino);
  }

  boolean isWriting(long ino) {
    return writing.contains(ino);
  }
}
