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
 * when nobody has. After a restart any session of the life before may have it open, until it has
 * said what it has. Any thread.
 */
final class Orphans {
  private final Namespace namespace;
  private final Stamps stamps;
  private final Map<Long, Orphan> orphans = new HashMap<>();
  private final Map<Long, Runnable> postponed = new HashMap<>();

  /** Taken over: any session may have made it, so none is closed while it is open. */
  private static final long MAKER_UNKNOWN = 0;

  private static final long MADE_HERE = -1;

  /** One of them; guarded by this object's lock. */
  private static final class Orphan {
    private final long maker;
    private final Set<Long> holders = new HashSet<>();

    /** Others are still being asked whether they have it open. */
    private boolean counting;

    Orphan(long maker) {
      this.maker = maker;
    }

    boolean isUnwanted() {
      return holders.isEmpty() && !counting;
    }
  }

  Orphans(Namespace namespace, Stamps stamps) {
    this.namespace = namespace;
    this.stamps = stamps;
  }

  void takeOver(List<Long> inodes, Collection<ClientSession> sessions) {
    var unwanted = new ArrayList<Long>();
    synchronized (this) {
      for (long ino : inodes) {
        var orphan = new Orphan(MAKER_UNKNOWN);
        sessions.forEach(session -> orphan.holders.add(session.id));
        if (orphan.isUnwanted()) {
          unwanted.add(ino);
        } else {
          orphans.put(ino, orphan);
        }
      }
    }
    reap(unwanted);
  }

  /**
   * A file has lost its last name and was kept; {@link #counted} follows, once it is known who else
   * has it open. Who lost its leases and has not said yet what it has open, may have it.
   *
   * @param maker null: the node itself
   */
  synchronized void made(
      long ino, ClientSession maker, boolean openThere, Collection<ClientSession> sessions) {
    long makerId = maker == null ? MADE_HERE : maker.id;
    Orphan orphan = orphans.computeIfAbsent(ino, k -> new Orphan(makerId));
    orphan.counting = true;
    if (openThere) {
      orphan.holders.add(makerId);
    }
    for (ClientSession session : sessions) {
      if (session != maker && session.opensUnknown()) {
        orphan.holders.add(session.id);
      }
    }
  }

  /**
   * @param holders sessions that have it open, beside those known; where there is none it is freed
   */
  void counted(long ino, Set<Long> holders) {
    synchronized (this) {
      Orphan orphan = orphans.get(ino);
      if (orphan == null) {
        return;
      }
      orphan.counting = false;
      orphan.holders.addAll(holders);
      if (!orphan.isUnwanted()) {
        return;
      }
      orphans.remove(ino);
    }
    reap(List.of(ino));
    closePostponed();
  }

  /** A file without a name got one. */
  void named(long ino) {
    synchronized (this) {
      orphans.remove(ino);
    }
    closePostponed();
  }

  /** Opened although it has no name: through a descriptor, or while its name went. */
  synchronized void opened(ClientSession session, long ino) {
    Orphan orphan = orphans.get(ino);
    if (orphan != null && session != null) {
      orphan.holders.add(session.id);
    }
  }

  /**
   * A session says what it has open, in parts: the rest it has not.
   *
   * @param all this is the last part
   * @return those of this part that are such files
   */
  List<Long> reclaimed(ClientSession session, Collection<Long> open, boolean all) {
    var free = new ArrayList<Long>();
    List<Long> unnamed;
    synchronized (this) {
      session.reclaimed.addAll(open);
      unnamed = open.stream().filter(orphans::containsKey).toList();
      unnamed.forEach(ino -> orphans.get(ino).holders.add(session.id));
      if (!all) {
        return unnamed;
      }
      session.opensUnknown(false);
      orphans.keySet().stream()
          .filter(ino -> !session.reclaimed.contains(ino))
          .toList()
          .forEach(
              ino -> {
                if (drop(ino, session.id)) {
                  free.add(ino);
                }
              });
      session.reclaimed.clear();
    }
    reap(free);
    closePostponed();
    return unnamed;
  }

  /** True where nobody has it open any more: it is to be freed. */
  private boolean drop(long ino, long session) {
    Orphan orphan = orphans.get(ino);
    if (orphan.holders.remove(session) && orphan.isUnwanted()) {
      orphans.remove(ino);
      return true;
    }
    return false;
  }

  /** This session has closed the file for the last time. */
  void released(ClientSession session, Collection<Long> inodes, Consumer<List<Long>> unwanted) {
    var free = new ArrayList<Long>();
    synchronized (this) {
      for (long ino : inodes) {
        if (!orphans.containsKey(ino) || drop(ino, session.id)) {
          free.add(ino); // or not in doubt: nobody else knows of it
        }
      }
    }
    unwanted.accept(free);
    closePostponed();
  }

  void ended(ClientSession session, Runnable close) {
    var free = new ArrayList<Long>();
    synchronized (this) {
      for (long ino : List.copyOf(orphans.keySet())) {
        if (drop(ino, session.id)) {
          free.add(ino);
        }
      }
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
