package io.millrace.core.lock;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.BiConsumer;

/**
 * Who holds which locks, and who waits for them. Not thread-safe: whoever owns it calls it from one
 * thread at a time.
 *
 * <p>Invariants: no two owners hold ranges of one file that conflict; of the waiting requests of a
 * file none could be granted.
 *
 * <p>Fair: a request that waits is not overtaken by a later one that conflicts with it, but by
 * those that refuse to wait, and by owners who hold a range already: somebody may wait for them,
 * and holding them up behind the queue could be a deadlock that the locks themselves have not.
 *
 * @param <A> what the asker of a waiting request keeps with it
 */
public final class LockTable<A> {
  /** What became of a request. */
  public enum Outcome {
    GRANTED,
    /** Another owner holds a lock in its way. */
    CONFLICT,
    WAITS,
    /** It would wait for somebody who waits for its owner; of byte ranges only. */
    DEADLOCK,
    /** A limit is reached. */
    FULL
  }

  /** A lock that is in the way. */
  public record Held(LockOwner owner, LockRange range) {}

  private final class FileLocks {
    private final Map<LockOwner, OwnedRanges> held = new HashMap<>();
    private final List<LockWait<A>> queue = new ArrayList<>();

    boolean isIdle() {
      return held.isEmpty() && queue.isEmpty();
    }
  }

  /** What an owner of byte ranges does in all files together. */
  private final class Standing {
    private int ranges;
    private final List<LockWait<A>> waits = new ArrayList<>(1);

    boolean isIdle() {
      return ranges == 0 && waits.isEmpty();
    }
  }

  private final class Client {
    private int ranges;
    private final Map<Long, LockWait<A>> waits = new HashMap<>();

    boolean isIdle() {
      return ranges == 0 && waits.isEmpty();
    }
  }

  private final LockLimits limits;
  private final BiConsumer<LockWait<A>, Outcome> settled;
  private final Map<LockKey, FileLocks> files = new HashMap<>();
  private final Map<LockOwner, Standing> standings = new HashMap<>();
  private final Map<Long, Client> clients = new HashMap<>();
  private final ArrayDeque<LockKey> unsettled = new ArrayDeque<>();
  private int ranges;
  private int waits;

  /**
   * @param settled hears of each request that waited: GRANTED or FULL; inside the call that made it
   *     possible, and must not call back
   */
  public LockTable(LockLimits limits, BiConsumer<LockWait<A>, Outcome> settled) {
    this.limits = limits;
    this.settled = settled;
  }

  /** Ranges held. */
  public int size() {
    return ranges;
  }

  public int waiting() {
    return waits;
  }

  /** The first lock of another that is in the way; or null. */
  public Held conflict(LockKey key, LockOwner owner, LockRange wanted) {
    FileLocks file = files.get(key);
    return file == null ? null : conflict(file, owner, wanted);
  }

  private Held conflict(FileLocks file, LockOwner owner, LockRange wanted) {
    Held first = null;
    for (Map.Entry<LockOwner, OwnedRanges> other : file.held.entrySet()) {
      LockRange range = other.getKey().equals(owner) ? null : other.getValue().conflict(wanted);
      if (range != null && (first == null || range.start() < first.range.start())) {
        first = new Held(other.getKey(), range);
      }
    }
    return first;
  }

  /** The owner's own first range there; or null. */
  public LockRange own(LockKey key, LockOwner owner, long start, long end) {
    FileLocks file = files.get(key);
    OwnedRanges own = file == null ? null : file.held.get(owner);
    return own == null ? null : own.overlap(start, end);
  }

  /** Whether the owner holds it all, in at least this kind. */
  public boolean covers(LockKey key, LockOwner owner, LockRange wanted) {
    FileLocks file = files.get(key);
    OwnedRanges own = file == null ? null : file.held.get(owner);
    return own != null && own.covers(wanted);
  }

  /** Now or not at all: GRANTED, CONFLICT or FULL. */
  public Outcome set(LockKey key, LockOwner owner, LockRange range) {
    letGoFirst(key, owner, range);
    Outcome outcome;
    if (conflict(key, owner, range) != null) {
      outcome = Outcome.CONFLICT;
    } else {
      outcome = grant(key, owner, range) ? Outcome.GRANTED : Outcome.FULL;
    }
    settle();
    return outcome;
  }

  /**
   * Now or later: GRANTED, WAITS, DEADLOCK or FULL.
   *
   * @param ticket names the request within its session; one that waits already under it is asked by
   *     {@code asker} from now on
   */
  public Outcome setOrWait(LockKey key, LockOwner owner, LockRange range, long ticket, A asker) {
    Client client = clients.get(owner.session());
    LockWait<A> same = client == null ? null : client.waits.get(ticket);
    if (same != null) {
      same.askedBy(asker);
      return Outcome.WAITS;
    }
    letGoFirst(key, owner, range);
    settle();
    var wait = new LockWait<>(key, owner, range, ticket, asker);
    FileLocks file = files.get(key);
    Outcome outcome;
    boolean again = key.space() == LockSpace.FLOCK && covers(key, owner, range);
    if (file == null || again || !isBlocked(file, wait, file.queue.size())) {
      outcome = grant(key, owner, range) ? Outcome.GRANTED : Outcome.FULL;
      settle();
    } else if (key.space() == LockSpace.FCNTL && deadlocks(wait)) {
      outcome = Outcome.DEADLOCK;
    } else {
      outcome = enqueue(file, wait) ? Outcome.WAITS : Outcome.FULL;
    }
    return outcome;
  }

  /** flock(2) gives up what it has before it asks for another kind, as Linux does. */
  private void letGoFirst(LockKey key, LockOwner owner, LockRange range) {
    if (key.space() == LockSpace.FLOCK) {
      LockRange own = own(key, owner, 0, LockRange.TO_END);
      if (own != null && own.exclusive() != range.exclusive()) {
        release(key, owner, 0, LockRange.TO_END);
      }
    }
  }

  /** False where it would make two of one, and there is no room for it. */
  public boolean unlock(LockKey key, LockOwner owner, long start, long end) {
    FileLocks file = files.get(key);
    OwnedRanges own = file == null ? null : file.held.get(owner);
    if (own == null) {
      return true;
    }
    if (own.splits(start, end) && isFull(owner)) {
      return false;
    }
    release(key, owner, start, end);
    settle();
    return true;
  }

  /** Takes a request out of its queue; null where none waits under the ticket. */
  public LockWait<A> cancel(long session, long ticket) {
    Client client = clients.get(session);
    LockWait<A> wait = client == null ? null : client.waits.get(ticket);
    if (wait != null) {
      files.get(wait.key).queue.remove(wait);
      dequeued(wait);
      settle();
    }
    return wait;
  }

  /** What a client had. */
  public record Dropped<A>(Set<Long> inodes, List<LockWait<A>> waits) {}

  /** Ends all locks of a client, and takes its requests out of their queues. */
  public Dropped<A> drop(long session) {
    var dropped = new Dropped<A>(new HashSet<>(), new ArrayList<>());
    if (!clients.containsKey(session)) {
      return dropped;
    }
    for (LockWait<A> wait : List.copyOf(clients.get(session).waits.values())) {
      files.get(wait.key).queue.remove(wait);
      dequeued(wait);
      dropped.waits.add(wait);
    }
    for (LockKey key : List.copyOf(files.keySet())) {
      for (LockOwner owner : List.copyOf(files.get(key).held.keySet())) {
        if (owner.session() == session) {
          release(key, owner, 0, LockRange.TO_END);
          dropped.inodes.add(key.ino());
        }
      }
    }
    settle();
    return dropped;
  }

  /** Whether a request of another client waits for a lock of this one. */
  public boolean isAwaited(long session) {
    if (!clients.containsKey(session)) {
      return false;
    }
    for (FileLocks file : files.values()) {
      for (LockWait<A> wait : file.queue) {
        if (wait.owner.session() != session && blocks(session, file, wait)) {
          return true;
        }
      }
    }
    return false;
  }

  private boolean blocks(long session, FileLocks file, LockWait<A> wait) {
    return blockers(file, wait).stream().anyMatch(owner -> owner.session() == session);
  }

  // ---- holding ----

  private boolean isFull(LockOwner owner) {
    Client client = clients.get(owner.session());
    return ranges >= limits.locks()
        || (client != null && client.ranges >= limits.locksPerSession());
  }

  private boolean grant(LockKey key, LockOwner owner, LockRange range) {
    if (isFull(owner)) {
      return false;
    }
    FileLocks file = files.computeIfAbsent(key, k -> new FileLocks());
    OwnedRanges own = file.held.computeIfAbsent(owner, k -> new OwnedRanges());
    int before = own.size();
    own.set(range);
    count(key, owner, own.size() - before);
    unsettled.add(key); // it may have become less than it was
    return true;
  }

  private void release(LockKey key, LockOwner owner, long start, long end) {
    FileLocks file = files.get(key);
    OwnedRanges own = file.held.get(owner);
    int before = own.size();
    own.clear(start, end);
    count(key, owner, own.size() - before);
    if (own.isEmpty()) {
      file.held.remove(owner);
    }
    unsettled.add(key);
  }

  private void count(LockKey key, LockOwner owner, int more) {
    ranges += more;
    Client client = clients.computeIfAbsent(owner.session(), k -> new Client());
    client.ranges += more;
    if (client.isIdle()) {
      clients.remove(owner.session());
    }
    if (key.space() == LockSpace.FCNTL) {
      Standing standing = standings.computeIfAbsent(owner, k -> new Standing());
      boolean held = standing.ranges > 0;
      standing.ranges += more;
      if (held != standing.ranges > 0) {
        standing.waits.forEach(wait -> unsettled.add(wait.key)); // it queues by another rule now
      }
      if (standing.isIdle()) {
        standings.remove(owner);
      }
    }
  }

  // ---- waiting ----

  private boolean enqueue(FileLocks file, LockWait<A> wait) {
    Client client = clients.computeIfAbsent(wait.owner.session(), k -> new Client());
    if (waits >= limits.waits() || client.waits.size() >= limits.waitsPerSession()) {
      if (client.isIdle()) {
        clients.remove(wait.owner.session());
      }
      return false;
    }
    waits++;
    file.queue.add(wait);
    client.waits.put(wait.ticket, wait);
    if (wait.key.space() == LockSpace.FCNTL) {
      standings.computeIfAbsent(wait.owner, k -> new Standing()).waits.add(wait);
    }
    return true;
  }

  /** After it left its queue. */
  private void dequeued(LockWait<A> wait) {
    waits--;
    Client client = clients.get(wait.owner.session());
    client.waits.remove(wait.ticket);
    if (client.isIdle()) {
      clients.remove(wait.owner.session());
    }
    Standing standing = standings.get(wait.owner);
    if (wait.key.space() == LockSpace.FCNTL && standing != null) {
      standing.waits.remove(wait);
      if (standing.isIdle()) {
        standings.remove(wait.owner);
      }
    }
    unsettled.add(wait.key);
  }

  /**
   * @param place in the queue: those before it come first
   */
  private boolean isBlocked(FileLocks file, LockWait<A> wait, int place) {
    if (conflict(file, wait.owner, wait.range) != null) {
      return true;
    }
    if (!queues(wait)) {
      return false;
    }
    for (int i = 0; i < place; i++) {
      LockWait<A> earlier = file.queue.get(i);
      if (!earlier.owner.equals(wait.owner) && earlier.range.conflicts(wait.range)) {
        return true;
      }
    }
    return false;
  }

  /** Whether others who came first go first. */
  private boolean queues(LockWait<A> wait) {
    Standing standing = standings.get(wait.owner);
    return wait.key.space() == LockSpace.FLOCK || standing == null || standing.ranges == 0;
  }

  /** Grants what can be granted now, until nothing can. */
  private void settle() {
    while (!unsettled.isEmpty()) {
      LockKey key = unsettled.poll();
      FileLocks file = files.get(key);
      if (file == null) {
        continue;
      }
      grantWaiting(file);
      if (file.isIdle()) {
        files.remove(key);
      }
    }
  }

  private void grantWaiting(FileLocks file) {
    Iterator<LockWait<A>> queue = List.copyOf(file.queue).iterator();
    int place = 0;
    while (queue.hasNext()) {
      LockWait<A> wait = queue.next();
      if (isBlocked(file, wait, place)) {
        place++;
      } else {
        file.queue.remove(place);
        dequeued(wait);
        boolean granted = grant(wait.key, wait.owner, wait.range);
        settled.accept(wait, granted ? Outcome.GRANTED : Outcome.FULL);
      }
    }
  }

  // ---- deadlock ----

  private Set<LockOwner> blockers(FileLocks file, LockWait<A> wait) {
    var found = new HashSet<LockOwner>();
    file.held.forEach(
        (owner, own) -> {
          if (!owner.equals(wait.owner) && own.conflict(wait.range) != null) {
            found.add(owner);
          }
        });
    return found;
  }

  /** Whether somebody in its way waits, directly or not, for its owner. */
  private boolean deadlocks(LockWait<A> wait) {
    var seen = new HashSet<LockOwner>();
    var open = new ArrayDeque<>(blockers(files.get(wait.key), wait));
    while (!open.isEmpty()) {
      LockOwner owner = open.poll();
      if (owner.equals(wait.owner)) {
        return true;
      }
      Standing standing = seen.add(owner) ? standings.get(owner) : null;
      if (standing != null) {
        for (LockWait<A> theirs : standing.waits) {
          open.addAll(blockers(Objects.requireNonNull(files.get(theirs.key)), theirs));
        }
      }
    }
    return false;
  }
}
