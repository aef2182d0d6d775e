package io.millrace.node;

import io.millrace.core.api.Namespace;
import io.millrace.proto.Command;
import io.millrace.proto.ReapOrphan;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Files without a name that somebody has open (H10). The namespace keeps each for the session that
 * unlinked it; who else has it open is known here, and that session is closed in the namespace only
 * when nobody has. After a restart any session of the life before may have it open. Any thread.
 */
final class Orphans {
  private final Namespace namespace;
  private final Stamps stamps;
  private final Map<Long, Orphan> orphans = new HashMap<>();
  private final Map<Long, Runnable> postponed = new HashMap<>();

  /** Taken over: any session may have made it, so none is closed while it is open. */
  private static final long MAKER_UNKNOWN = 0;

  private record Orphan(long maker, Set<Long> holders) {}

  Orphans(Namespace namespace, Stamps stamps) {
    this.namespace = namespace;
    this.stamps = stamps;
  }

  void takeOver(List<Long> inodes, Collection<ClientSession> sessions) {
    var unwanted = new ArrayList<Long>();
    synchronized (this) {
      for (long ino : inodes) {
        var holders = new HashSet<Long>();
        sessions.forEach(session -> holders.add(session.id));
        if (holders.isEmpty()) {
          unwanted.add(ino);
        } else {
          orphans.put(ino, new Orphan(MAKER_UNKNOWN, holders));
        }
      }
    }
    reap(unwanted);
  }

  /**
   * A file has lost its last name and was kept.
   *
   * @param holders sessions that have it open; none: it is freed now
   */
  void made(long ino, long maker, Set<Long> holders) {
    if (holders.isEmpty()) {
      reap(List.of(ino));
      return;
    }
    synchronized (this) {
      orphans.put(ino, new Orphan(maker, new HashSet<>(holders)));
    }
  }

  /** This session has closed the file for the last time. */
  void released(ClientSession session, Collection<Long> inodes, Consumer<List<Long>> unwanted) {
    var free = new ArrayList<Long>();
    synchronized (this) {
      for (long ino : inodes) {
        Orphan orphan = orphans.get(ino);
        if (orphan == null) {
          free.add(ino); // not in doubt: only its one holder knows of it
        } else if (orphan.holders.remove(session.id) && orphan.holders.isEmpty()) {
          orphans.remove(ino);
          free.add(ino);
        }
      }
    }
    unwanted.accept(free);
    closePostponed();
  }

  void ended(ClientSession session, Runnable close) {
    var free = new ArrayList<Long>();
    synchronized (this) {
      orphans
          .entrySet()
          .removeIf(
              entry -> {
                Set<Long> holders = entry.getValue().holders;
                boolean last = holders.remove(session.id) && holders.isEmpty();
                if (last) {
                  free.add(entry.getKey());
                }
                return last;
              });
      postponed.put(session.id, close);
    }
    reap(free);
    closePostponed();
  }

  private void closePostponed() {
    var ready = new ArrayList<Runnable>();
    synchronized (this) {
      if (postponed.isEmpty()) {
        return;
      }
      var makers = new HashSet<Long>();
      orphans.values().forEach(orphan -> makers.add(orphan.maker));
      if (makers.contains(MAKER_UNKNOWN)) {
        return;
      }
      postponed
          .entrySet()
          .removeIf(entry -> !makers.contains(entry.getKey()) && ready.add(entry.getValue()));
    }
    ready.forEach(Runnable::run);
  }

  private void reap(List<Long> inodes) {
    if (!inodes.isEmpty()) {
      Command.Builder reap =
          Command.newBuilder().setReapOrphan(ReapOrphan.newBuilder().addAllIno(inodes));
      namespace.submit(stamps.own(reap), false, result -> {});
    }
  }
}
