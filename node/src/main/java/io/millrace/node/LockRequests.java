package io.millrace.node;

import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.core.lock.LockKey;
import io.millrace.core.lock.LockLimits;
import io.millrace.core.lock.LockOwner;
import io.millrace.core.lock.LockRange;
import io.millrace.core.lock.LockSpace;
import io.millrace.core.lock.LockTable;
import io.millrace.core.lock.LockTable.Outcome;
import io.millrace.core.lock.LockWait;
import io.millrace.core.wire.RequestHandler.Responder;
import io.millrace.proto.LockRecord;
import io.millrace.proto.LockReply;
import io.millrace.proto.LockRequest;
import io.millrace.proto.LockType;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongPredicate;

/**
 * LOCK: flock and fcntl locks of all clients, in memory only. One lock guards the table, and never
 * disk or wire; whoever leaves it gives the answers, in the order in which they became true, so
 * that each client can follow what it holds.
 *
 * <p>A client's locks end with its leases. Until it has said that it knows, it may not change the
 * content of what it had locked.
 */
final class LockRequests {
  private static final System.Logger LOG = System.getLogger(LockRequests.class.getName());

  private final ReentrantLock lock = new ReentrantLock();
  private final LockTable<Responder> table;
  private final LockGrace grace = new LockGrace();
  private final ArrayDeque<Runnable> answers = new ArrayDeque<>();
  private boolean answering;

  /** By session: inodes whose locks it has lost and does not know of yet. */
  private final Map<Long, Set<Long>> lapsed = new ConcurrentHashMap<>();

  private volatile LongPredicate lapse = session -> false;

  LockRequests(LockLimits limits) {
    this.table = new LockTable<>(limits, this::settled);
  }

  /**
   * @param silent takes the locks of a client that was silent for the lease time; false where it
   *     was not
   */
  void onConflict(LongPredicate silent) {
    lapse = silent;
  }

  // ---- requests ----

  void lock(ClientSession session, LockRequest request, Responder responder) {
    if (session == null) {
      throw new FsException(Errno.EPERM, "only a session may lock");
    }
    switch (request.getAction()) {
      case LOCK_TEST, LOCK_WAIT -> afterGrace(session, request, responder);
      case LOCK_SET -> {
        if (request.getLock().getType() == LockType.LOCK_NONE) {
          unlock(session, request.getLock(), responder);
        } else {
          afterGrace(session, request, responder);
        }
      }
      case LOCK_CANCEL -> cancel(session, request.getTicket(), responder);
      case LOCK_RECLAIM -> reclaim(session, request, responder);
      case UNRECOGNIZED -> throw new FsException(Errno.ENOSYS, "no such action on locks");
    }
  }

  private void afterGrace(ClientSession session, LockRequest request, Responder responder) {
    range(request.getLock());
    step(
        () -> {
          Runnable ask = () -> ask(session, request, responder);
          if (!grace.hold(session.id, request.getTicket(), ask, responder)) {
            ask.run();
          }
        });
  }

  /** Under the lock. */
  private void ask(ClientSession session, LockRequest request, Responder responder) {
    LockRecord wanted = request.getLock();
    if (session.ended()) {
      answers.add(() -> responder.fail(ended()));
      return;
    }
    switch (request.getAction()) {
      case LOCK_TEST -> test(session, wanted, responder);
      case LOCK_SET -> set(session, request, responder);
      default -> {
        LockKey key = key(wanted);
        LockOwner owner = owner(session, wanted);
        answer(
            responder, table.setOrWait(key, owner, range(wanted), request.getTicket(), responder));
      }
    }
  }

  private void test(ClientSession session, LockRecord wanted, Responder responder) {
    LockKey key = key(wanted);
    LockOwner owner = owner(session, wanted);
    var reply = LockReply.newBuilder();
    if (wanted.getType() == LockType.LOCK_NONE) {
      LockRange own = table.own(key, owner, wanted.getStart(), wanted.getEnd());
      if (own != null) {
        reply.setConflict(record(key, own, own.pid()));
      }
    } else {
      LockTable.Held held = table.conflict(key, owner, range(wanted));
      if (held != null) {
        boolean same = held.owner().session() == session.id;
        reply.setConflict(record(key, held.range(), same ? held.range().pid() : 0));
      }
    }
    answers.add(() -> responder.reply(reply.build(), null));
  }

  private void set(ClientSession session, LockRequest request, Responder responder) {
    LockRecord wanted = request.getLock();
    LockKey key = key(wanted);
    LockOwner owner = owner(session, wanted);
    Outcome outcome = table.set(key, owner, range(wanted));
    LockTable.Held held =
        outcome == Outcome.CONFLICT ? table.conflict(key, owner, range(wanted)) : null;
    if (held == null) {
      answer(responder, outcome);
    } else {
      long other = held.owner().session();
      answers.add(() -> setAfterLapse(session, request, responder, other));
    }
  }

  /** Locks of one who was silent for too long are in nobody's way. */
  private void setAfterLapse(
      ClientSession session, LockRequest request, Responder responder, long other) {
    if (other != session.id && lapse.test(other)) {
      step(() -> ask(session, request, responder));
    } else {
      responder.fail(new FsException(Errno.EAGAIN, "locked by another"));
    }
  }

  private void unlock(ClientSession session, LockRecord range, Responder responder) {
    range(range);
    step(
        () -> {
          boolean done =
              table.unlock(key(range), owner(session, range), range.getStart(), range.getEnd());
          answer(responder, done ? Outcome.GRANTED : Outcome.FULL);
        });
  }

  private void cancel(ClientSession session, long ticket, Responder responder) {
    step(
        () -> {
          LockWait<Responder> wait = table.cancel(session.id, ticket);
          Responder asker = wait == null ? grace.cancel(session.id, ticket) : wait.asker();
          if (asker != null) {
            answers.add(
                () -> asker.fail(new FsException(Errno.EINTR, "interrupted while waiting")));
          }
          answers.add(() -> responder.reply(LockReply.getDefaultInstance(), null));
        });
  }

  private void reclaim(ClientSession session, LockRequest request, Responder responder) {
    request.getHeldList().forEach(LockRequests::range);
    step(
        () -> {
          var reply = LockReply.newBuilder();
          for (LockRecord held : request.getHeldList()) {
            if (!isHeldAgain(session, held)) {
              reply.addLost(held);
            }
          }
          answers.add(() -> responder.reply(reply.build(), null));
          if (request.getLast()) {
            lapsed.remove(session.id);
            run(grace.returned(session.id));
          }
        });
  }

  /** Kept, or, where only a restart of this node has taken it, given again. */
  private boolean isHeldAgain(ClientSession session, LockRecord held) {
    LockKey key = key(held);
    LockOwner owner = owner(session, held);
    return table.covers(key, owner, range(held))
        || (grace.expects(session.id) && table.set(key, owner, range(held)) == Outcome.GRANTED);
  }

  // ---- sessions ----

  /** Of the node's life before: nobody gets a lock that it may claim. */
  void expect(long session) {
    step(() -> grace.expect(session));
  }

  /** Has no locks to claim. */
  void returned(long session) {
    step(() -> run(grace.returned(session)));
  }

  /** Who has not come back by now has no locks any more. */
  void graceOver() {
    step(() -> run(grace.over()));
  }

  /** Its leases have ended, and its locks with them. */
  void drop(ClientSession session) {
    step(
        () -> {
          LockTable.Dropped<Responder> dropped = table.drop(session.id);
          if (!dropped.inodes().isEmpty() && !session.ended()) {
            lapsed.merge(session.id, dropped.inodes(), LockRequests::both);
            LOG.log(
                System.Logger.Level.WARNING, "the locks of a client have ended with its leases");
          }
          dropped.waits().forEach(wait -> answers.add(() -> wait.asker().fail(ended())));
          grace.dropped(session.id).forEach(asker -> answers.add(() -> asker.fail(ended())));
          if (session.ended()) {
            lapsed.remove(session.id);
            run(grace.returned(session.id));
          }
        });
  }

  private static void run(List<Runnable> free) {
    free.forEach(Runnable::run);
  }

  private static Set<Long> both(Set<Long> one, Set<Long> two) {
    one.addAll(two);
    return one;
  }

  private static FsException ended() {
    return new FsException(Errno.ENOLCK, "the client has lost its locks");
  }

  boolean isAwaited(long session) {
    lock.lock();
    try {
      return table.isAwaited(session);
    } finally {
      lock.unlock();
    }
  }

  /**
   * @throws FsException EIO: the session had locked the inode, and others may have since
   */
  void requireNotLapsed(ClientSession session, long ino) {
    Set<Long> inodes = lapsed.isEmpty() ? null : lapsed.get(session.id);
    if (inodes != null && inodes.contains(ino)) {
      throw new FsException(Errno.EIO, "written under a lock that was lost", "ino", ino);
    }
  }

  // ---- answers ----

  private void settled(LockWait<Responder> wait, Outcome outcome) {
    answer(wait.asker(), outcome);
  }

  private void answer(Responder responder, Outcome outcome) {
    switch (outcome) {
      case GRANTED -> answers.add(() -> responder.reply(LockReply.getDefaultInstance(), null));
      case CONFLICT -> refuse(responder, Errno.EAGAIN, "locked by another");
      case DEADLOCK -> refuse(responder, Errno.EDEADLK, "would wait for its own lock");
      case FULL -> refuse(responder, Errno.ENOLCK, "too many locks");
      case WAITS -> {} // answered when it is settled
    }
  }

  private void refuse(Responder responder, Errno errno, String why) {
    answers.add(() -> responder.fail(new FsException(errno, why)));
  }

  /** Under the lock; then answers, unless another thread is at it and will. */
  private void step(Runnable change) {
    lock.lock();
    try {
      change.run();
      if (answering) {
        return;
      }
      answering = true;
    } finally {
      lock.unlock();
    }
    for (Runnable next = nextAnswer(); next != null; next = nextAnswer()) {
      try {
        next.run();
      } catch (RuntimeException e) {
        LOG.log(System.Logger.Level.ERROR, "an answer about a lock failed", e);
      }
    }
  }

  private Runnable nextAnswer() {
    lock.lock();
    try {
      Runnable next = answers.poll();
      answering = next != null;
      return next;
    } finally {
      lock.unlock();
    }
  }

  // ---- records ----

  private static LockKey key(LockRecord lock) {
    return new LockKey(lock.getIno(), lock.getWholeFile() ? LockSpace.FLOCK : LockSpace.FCNTL);
  }

  private static LockOwner owner(ClientSession session, LockRecord lock) {
    return new LockOwner(session.id, lock.getOwner());
  }

  private static LockRange range(LockRecord lock) {
    if (lock.getStart() < 0 || lock.getEnd() < lock.getStart()) {
      throw new FsException(Errno.EINVAL, "not a range of bytes");
    }
    boolean exclusive = lock.getType() == LockType.LOCK_EXCLUSIVE;
    return new LockRange(lock.getStart(), lock.getEnd(), exclusive, lock.getPid());
  }

  private static LockRecord record(LockKey key, LockRange range, int pid) {
    return LockRecord.newBuilder()
        .setIno(key.ino())
        .setWholeFile(key.space() == LockSpace.FLOCK)
        .setType(range.exclusive() ? LockType.LOCK_EXCLUSIVE : LockType.LOCK_SHARED)
        .setStart(range.start())
        .setEnd(range.end())
        .setPid(pid)
        .build();
  }
}
