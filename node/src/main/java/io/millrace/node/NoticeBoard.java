package io.millrace.node;

import io.millrace.core.api.CoherenceNotifier;
import io.millrace.proto.Notice;
import io.millrace.proto.NoticeItem;
import io.millrace.proto.NoticeKind;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Sends committed changes to all who hold a lease on them, to all at once. A session with too many
 * unanswered notices is treated as one that does not answer.
 */
final class NoticeBoard implements CoherenceNotifier {
  /** Unanswered notices of one session; beyond it the session is fenced. */
  private static final int OWED_MAX = 8192;

  /** Keeps a notice well under the limit of a frame's header. */
  private static final int ITEMS_PER_NOTICE = 1000;

  private static final int RECALL_BATCH = 1024;

  private final NodeConfig config;
  private final Sessions sessions;
  private final Leases leases;
  private final InodeCache inodes;
  private final Orphans orphans;
  private final NodeCounters counters;
  private final AtomicLong nextId = new AtomicLong(1);
  private final AtomicBoolean recalling = new AtomicBoolean();

  NoticeBoard(
      NodeConfig config,
      Sessions sessions,
      Leases leases,
      InodeCache inodes,
      Orphans orphans,
      NodeCounters counters) {
    this.config = config;
    this.sessions = sessions;
    this.leases = leases;
    this.inodes = inodes;
    this.orphans = orphans;
    this.counters = counters;
  }

  /**
   * @param from whose change it is, and who is not told; null: the node's own
   * @param answer runs when all have answered, or sooner (H7)
   * @param settled runs when all have answered, with what they have open
   */
  void announce(
      ClientSession from, List<NoticeItem> items, Runnable answer, Announcement.Settled settled) {
    Map<ClientSession, List<NoticeItem>> routes = route(from, items);
    if (routes.isEmpty()) {
      answer.run();
      settled.settled(Map.of());
      return;
    }
    // One more than the recipients, so that it can't settle before all were told.
    var announcement = new Announcement(routes.size() + 1, answer, settled);
    long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(config.leaseMillis());
    routes.forEach((session, theirs) -> tell(session, theirs, announcement, deadline));
    if (from != null) {
      from.await(announcement); // answered at once, it is still not before the others were told
    }
    announcement.acknowledged(from, Set.of());
  }

  @Override
  public void changed(List<NoticeItem> items) {
    leases.changed();
    items.forEach(item -> inodes.invalidate(item.getIno()));
    deleted(items).forEach(ino -> orphans.made(ino, null, false, sessions.all()));
    for (int i = 0; i < items.size(); i += ITEMS_PER_NOTICE) {
      announceAndWait(items.subList(i, Math.min(items.size(), i + ITEMS_PER_NOTICE)));
    }
  }

  /** They may have been kept for who has them open (H10). */
  private static List<Long> deleted(List<NoticeItem> items) {
    return items.stream()
        .filter(item -> item.getKind() == NoticeKind.ENTRY_DELETED)
        .map(NoticeItem::getIno)
        .toList();
  }

  @Override
  public Set<Long> recall(List<Long> wanted) {
    var used = new HashSet<Long>();
    for (int i = 0; i < wanted.size(); i += ITEMS_PER_NOTICE) {
      List<Long> part = wanted.subList(i, Math.min(wanted.size(), i + ITEMS_PER_NOTICE));
      announceAndWait(
          part.stream().filter(leases.content()::heldByAny).map(NoticeBoard::recall).toList());
      part.stream().filter(leases.content()::heldByAny).forEach(used::add);
    }
    return used;
  }

  @Override
  public boolean leased(long ino) {
    return leases.leased(ino) || sessions.anyOpensUnknown();
  }

  @Override
  public boolean beingWritten(long ino) {
    return sessions.all().stream().anyMatch(session -> session.isWriting(ino));
  }

  /** Asks for the oldest leases back where a table is over its limit. Returns at once. */
  void relieve() {
    boolean content = leases.content().overLimit();
    boolean directories = leases.directories().overLimit();
    if ((content || directories) && recalling.compareAndSet(false, true)) {
      var items = new ArrayList<NoticeItem>();
      if (content) {
        leases.content().oldest(RECALL_BATCH / 2).forEach(ino -> items.add(recall(ino)));
      }
      if (directories) {
        leases.directories().oldest(RECALL_BATCH / 2).forEach(dir -> items.add(recallDir(dir)));
      }
      announce(null, items, () -> {}, open -> recalling.set(false));
    }
  }

  private static NoticeItem recall(long ino) {
    return NoticeItem.newBuilder().setKind(NoticeKind.CONTENT_RECALL).setIno(ino).build();
  }

  private static NoticeItem recallDir(long dir) {
    return NoticeItem.newBuilder().setKind(NoticeKind.ENTRY_CHANGED).setDir(dir).build();
  }

  private void announceAndWait(List<NoticeItem> items) {
    var settled = new CountDownLatch(1);
    announce(
        null,
        items,
        () -> {},
        open -> {
          deleted(items).forEach(ino -> orphans.counted(ino, Announcement.holders(ino, open)));
          settled.countDown();
        });
    try {
      settled.await(); // ends with the lease time: who does not answer is fenced
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void tell(
      ClientSession session, List<NoticeItem> items, Announcement announcement, long deadline) {
    if (session.owedCount() >= OWED_MAX) {
      session.fence(leases);
      announcement.acknowledged(session, Set.of());
      return;
    }
    counters.count(NodeCounters.Event.NOTICE_SENT);
    Notice notice = Notice.newBuilder().setId(nextId.getAndIncrement()).addAllItems(items).build();
    session.owe(new SentNotice(notice, announcement, deadline));
    if (session.ended()) {
      session.fence(leases); // it ended before it could be told: nothing is waited for
    }
  }

  private Map<ClientSession, List<NoticeItem>> route(ClientSession from, List<NoticeItem> items) {
    var routes = new LinkedHashMap<ClientSession, List<NoticeItem>>();
    List<BitSet> holders = items.stream().map(leases::holders).toList();
    for (ClientSession session : sessions.all()) {
      if (session == from) {
        continue;
      }
      for (int i = 0; i < items.size(); i++) {
        if (holders.get(i).get(session.slot)) {
          routes.computeIfAbsent(session, s -> new ArrayList<>()).add(items.get(i));
        }
      }
    }
    return routes;
  }
}
