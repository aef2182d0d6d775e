package io.millrace.node;

import io.millrace.core.access.Squash;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.core.api.Namespace;
import io.millrace.core.wire.RequestHandler.Peer;
import io.millrace.core.wire.RequestHandler.Responder;
import io.millrace.proto.CloseSession;
import io.millrace.proto.Command;
import io.millrace.proto.CommandResult;
import io.millrace.proto.Hello;
import io.millrace.proto.OpenSession;
import io.millrace.proto.Reclaim;
import io.millrace.proto.Welcome;
import java.util.BitSet;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The clients: sessions live in the namespace (H6), what they hold lives here. A session ends by
 * BYE, or when nothing was heard of it for the session time; its leases end sooner.
 */
final class Sessions {
  private static final System.Logger LOG = System.getLogger(Sessions.class.getName());

  /** Marks a client of this process in the namespace: it can't outlive the node. */
  private static final String LOCAL = "in-process ";

  /** What a command line's connection has in place of a session. */
  static final Object ADMIN = new Object();

  private final NodeConfig config;
  private final Namespace namespace;
  private final Stamps stamps;
  private final Leases leases;
  private final Orphans orphans;
  private final NodeCounters counters;
  private final RestartGrace grace;
  private final LockRequests locks;
  private final long boot;
  private final Map<Long, ClientSession> live = new ConcurrentHashMap<>();
  private final BitSet slots = new BitSet();
  private final AtomicLong closed = new AtomicLong();

  Sessions(
      NodeConfig config,
      Namespace namespace,
      Stamps stamps,
      Leases leases,
      Orphans orphans,
      NodeCounters counters,
      RestartGrace grace,
      LockRequests locks) {
    this.config = config;
    this.namespace = namespace;
    this.stamps = stamps;
    this.leases = leases;
    this.orphans = orphans;
    this.counters = counters;
    this.grace = grace;
    this.locks = locks;
    this.boot = stamps.random();
  }

  /**
   * Takes over the sessions of the node's life before; those of its own process died with it.
   *
   * @param goesOn a session of its own process whose mount did not die (H17); 0: there is none
   */
  void takeOver(long goesOn) {
    for (Namespace.Session session : namespace.sessions()) {
      if (session.client().startsWith(LOCAL) && session.id() != goesOn) {
        close(session.id());
      } else {
        add(session.id(), session.number()).opensUnknown(true);
        grace.expect(session.id());
        locks.expect(session.id());
      }
    }
    orphans.takeOver(namespace.orphans(), List.copyOf(live.values()));
  }

  Collection<ClientSession> all() {
    return live.values();
  }

  int count() {
    return live.size();
  }

  /** Whether anybody but this one could hold a lease. */
  boolean othersThan(ClientSession session) {
    int own = session != null && !session.ended() ? 1 : 0;
    return live.size() > own;
  }

  void hello(Peer peer, Hello hello, Responder responder) {
    if (hello.getAdmin()) {
      peer.attach(ADMIN);
      responder.reply(welcome().build(), null);
      return;
    }
    ClientSession known = hello.getSession() == 0 ? null : live.get(hello.getSession());
    if (known != null) {
      greet(peer, known, false, hello.getLocks(), responder);
    } else {
      open(peer, hello, responder);
    }
  }

  void bye(ClientSession session) {
    end(session);
  }

  /** Runs on the clock's thread: fences who owes too long, closes who is silent too long. */
  void lookAfter() {
    long now = System.nanoTime();
    long leaseNanos = TimeUnit.MILLISECONDS.toNanos(config.leaseMillis());
    long sessionNanos = TimeUnit.MILLISECONDS.toNanos(config.sessionMillis());
    for (ClientSession session : live.values()) {
      if (session.silentNanos(now) > sessionNanos) {
        LOG.log(System.Logger.Level.WARNING, "client silent for too long, its session ends");
        counters.count(NodeCounters.Event.SESSION_EXPIRED);
        end(session);
      } else if (session.overdue(now, leaseNanos)) {
        LOG.log(System.Logger.Level.WARNING, "client did not answer a notice, its leases end");
        counters.count(NodeCounters.Event.SESSION_FENCED);
        session.fence(leases);
      } else if (session.silentNanos(now) > leaseNanos && locks.isAwaited(session.id)) {
        lapse(session.id);
      }
    }
  }

  /** Ends leases and locks of one who was silent for the lease time; false where it was not. */
  boolean lapse(long id) {
    ClientSession session = live.get(id);
    long leaseNanos = TimeUnit.MILLISECONDS.toNanos(config.leaseMillis());
    if (session == null || session.silentNanos(System.nanoTime()) <= leaseNanos) {
      return false;
    }
    LOG.log(System.Logger.Level.WARNING, "client silent, and others want what it has locked");
    counters.count(NodeCounters.Event.SESSION_FENCED);
    session.fence(leases);
    return true;
  }

  /** Closes a session in the namespace, once nothing that it unlinked is open elsewhere. */
  void close(long id) {
    Command.Builder close =
        Command.newBuilder().setCloseSession(CloseSession.newBuilder().setSession(id));
    namespace.submit(
        stamps.own(close),
        false,
        result -> {
          if (result.getErrno() != 0 && result.getErrno() != Errno.ENOENT.code()) {
            LOG.log(System.Logger.Level.WARNING, "session not closed: " + result.getMessage());
          }
          closed.incrementAndGet();
        });
  }

  /** How many were closed in the namespace since the start. */
  long closedSoFar() {
    return closed.get();
  }

  private void open(Peer peer, Hello hello, Responder responder) {
    String client = (peer.mayBlock() ? LOCAL : "") + hello.getClient();
    Command.Builder open =
        Command.newBuilder().setOpenSession(OpenSession.newBuilder().setClient(client));
    namespace.submit(stamps.own(open), false, result -> opened(peer, hello, result, responder));
  }

  private void opened(Peer peer, Hello hello, CommandResult result, Responder responder) {
    if (result.getErrno() != 0) {
      responder.fail(
          new FsException(
              Errno.of(result.getErrno()), "no session opened", "why", result.getMessage()));
      return;
    }
    ClientSession session = add(result.getSession(), result.getSessionNumber());
    session.opensUnknown(hello.getSession() != 0);
    greet(peer, session, hello.getSession() != 0, hello.getLocks(), responder);
  }

  private void greet(
      Peer peer, ClientSession session, boolean lost, boolean claimsLocks, Responder responder) {
    session.heard();
    peer.attach(session);
    responder.reply(
        welcome()
            .setSession(session.id)
            .setSessionNumber(session.number)
            .setSessionLost(lost)
            .setBoot(boot + session.leaseEpoch())
            .build(),
        null);
    session.connect(peer);
    if (!claimsLocks) {
      locks.returned(session.id);
    }
  }

  /**
   * A client says what it has open after its leases were lost, and later that its caches are. Which
   * of those have no name any more: of the others it will be told.
   */
  List<Long> reclaim(ClientSession session, Reclaim request) {
    if (request.getBoot() != boot + session.leaseEpoch()) {
      return List.of(); // of a life before: what it says may have changed
    }
    if (request.getDropped()) {
      grace.returned(session.id);
      return List.of();
    }
    request.getOpenList().forEach(ino -> leases.grantContent(session, ino));
    return orphans.reclaimed(session, request.getOpenList(), !request.getMore());
  }

  /** Whether one of them may have open what nobody knows of. */
  boolean anyOpensUnknown() {
    return live.values().stream().anyMatch(ClientSession::opensUnknown);
  }

  private Welcome.Builder welcome() {
    return Welcome.newBuilder()
        .setNode(config.name())
        .setSquashRoot(config.squash() == Squash.ROOT)
        .setSquashAll(config.squash() == Squash.ALL)
        .setLeaseMs(config.leaseMillis())
        .setBoot(boot);
  }

  private ClientSession add(long id, int number) {
    int slot;
    synchronized (slots) {
      slot = slots.nextClearBit(0);
      slots.set(slot);
    }
    var session = new ClientSession(id, number, slot, locks::drop);
    live.put(id, session);
    return session;
  }

  private void end(ClientSession session) {
    if (!live.remove(session.id, session)) {
      return;
    }
    session.end(leases);
    synchronized (slots) {
      slots.clear(session.slot);
    }
    grace.returned(session.id);
    orphans.ended(session, () -> close(session.id));
  }
}
