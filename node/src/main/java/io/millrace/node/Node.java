package io.millrace.node;

import com.google.protobuf.MessageLite;
import io.millrace.core.api.AdminHandler;
import io.millrace.core.api.BlockStore;
import io.millrace.core.api.CoherenceNotifier;
import io.millrace.core.api.ContentSource;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.core.api.Namespace;
import io.millrace.core.cache.BufferPool;
import io.millrace.core.lock.LockLimits;
import io.millrace.core.wire.Op;
import io.millrace.core.wire.RequestHandler;
import io.millrace.proto.AdminRequest;
import io.millrace.proto.CopyRequest;
import io.millrace.proto.Empty;
import io.millrace.proto.Hello;
import io.millrace.proto.InodeRequest;
import io.millrace.proto.LockRequest;
import io.millrace.proto.LookupRequest;
import io.millrace.proto.MutateRequest;
import io.millrace.proto.NoticeAck;
import io.millrace.proto.OpenRequest;
import io.millrace.proto.ReadRequest;
import io.millrace.proto.ReaddirRequest;
import io.millrace.proto.Reclaim;
import io.millrace.proto.ReclaimReply;
import io.millrace.proto.ReleaseLeases;
import io.millrace.proto.SeekRequest;
import io.millrace.proto.WriteRequest;
import io.millrace.proto.XattrRequest;
import java.lang.foreign.MemorySegment;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.HashSet;
import java.util.Map;
import java.util.concurrent.Semaphore;
import java.util.random.RandomGenerator;

/**
 * A storage node: serves the requests of clients over one namespace and one block store. Owns its
 * threads and its sessions; namespace, blocks and source belong to whoever made them and outlive
 * it. Requests come on event loops or, in the same process, on the client's threads.
 */
public final class Node implements RequestHandler, AutoCloseable {
  private static final int ADMIN_MAX = 256;
  private static final int CLOCK_TICKS_PER_LEASE = 20;

  /** What a node is made of; all of it outlives the node. */
  public record Parts(
      Namespace namespace, BlockStore blocks, ContentSource source, BufferPool buffers) {}

  private final NodeConfig config;
  private final Parts parts;
  private final NodeCounters counters = new NodeCounters();
  private final NodeThreads threads;
  private final Leases leases;
  private final RestartGrace grace = new RestartGrace();
  private final LockRequests locks = new LockRequests(LockLimits.DEFAULT);
  private final Sessions sessions;
  private final NoticeBoard notices;
  private final GarbageCollector garbage;
  private final QuotaCounter quotaCounter;
  private final QuotaAdmin quotas;
  private final TrashKeeper trashKeeper;
  private final TrashAdmin trash;
  private final ReadRequests reads;
  private final ChangeRequests changes;
  private final ContentCopy copies;
  private final LateAdmin admin = new LateAdmin();
  private final MetadataRequests metadata;
  private final Semaphore adminPermits = new Semaphore(ADMIN_MAX);
  private volatile boolean stopping;

  public Node(NodeConfig config, Parts parts) {
    this(config, parts, InstantSource.system(), new SecureRandom());
  }

  /** Reads the sessions of the life before; {@link #start} begins to look after them. */
  public Node(NodeConfig config, Parts parts, InstantSource time, RandomGenerator random) {
    this.config = config;
    this.parts = parts;
    Namespace namespace = parts.namespace();
    var stamps = new Stamps(time, random);
    var inodes = new InodeCache();
    this.threads = new NodeThreads(config);
    this.leases = new Leases(config);
    var orphans = new Orphans(namespace, stamps);
    this.sessions =
        new Sessions(config, namespace, stamps, leases, orphans, counters, grace, locks);
    locks.onConflict(sessions::lapse);
    this.notices = new NoticeBoard(config, sessions, leases, inodes, orphans, counters);
    var reader =
        new ContentReader(namespace, parts.blocks(), parts.source(), parts.buffers(), counters);
    this.reads = new ReadRequests(namespace, reader, leases, inodes, threads, counters);
    this.copies = new ContentCopy(namespace, parts.blocks(), reader, threads);
    var callers = new Callers(config.squash(), namespace);
    this.metadata =
        new MetadataRequests(
            namespace, parts.blocks(), reader, leases, inodes, orphans, admin, counters, callers);
    this.changes =
        new ChangeRequests(
            namespace,
            parts.blocks(),
            stamps,
            sessions,
            leases,
            inodes,
            notices,
            orphans,
            grace,
            locks,
            callers,
            threads);
    this.quotaCounter = new QuotaCounter(namespace, stamps);
    this.quotas = new QuotaAdmin(namespace, stamps, quotaCounter);
    this.trashKeeper = new TrashKeeper(namespace, stamps, notices, time);
    this.trash = new TrashAdmin(namespace, stamps, notices, trashKeeper);
    this.garbage =
        new GarbageCollector(
            namespace,
            parts.blocks(),
            stamps,
            counters,
            sessions::closedSoFar,
            config.collectorPauseMillis());
  }

  /**
   * Begins to serve.
   *
   * @param handler what answers the command line
   */
  public Node start(AdminHandler handler) {
    return start(handler, 0);
  }

  /**
   * Begins to serve, and expects the client of this process to go on with a session.
   *
   * @param session 0 where no mount has outlived the process before this one (H17)
   */
  public Node start(AdminHandler handler, long session) {
    admin.set(handler);
    garbage.dropUnborn();
    sessions.takeOver(session);
    grace.returned(0);
    threads.after(config.leaseMillis(), grace::over);
    threads.after(config.leaseMillis(), locks::graceOver);
    threads.every(Math.max(1, config.leaseMillis() / CLOCK_TICKS_PER_LEASE), this::lookAfter);
    garbage.start();
    quotaCounter.start();
    trashKeeper.start();
    return this;
  }

  /** For the link engine: tells clients of changes that none of them made. */
  public CoherenceNotifier notifier() {
    return notices;
  }

  /** For the command line. */
  public QuotaAdmin quotas() {
    return quotas;
  }

  /** For the command line. */
  public TrashAdmin trash() {
    return trash;
  }

  /** Requests by operation, and events, since the start. */
  public Map<String, Long> counters() {
    return counters.snapshot();
  }

  public int sessionCount() {
    return sessions.count();
  }

  /** Leases out now: directories and content. */
  public int leaseCount() {
    return leases.directories().size() + leases.content().size();
  }

  @Override
  public void handle(
      Peer peer, Op op, MessageLite header, MemorySegment payload, Responder responder) {
    counters.request(op);
    if (stopping) {
      turnAway(peer, responder);
      return;
    }
    Object state = peer.attachment();
    if (op == Op.HELLO) {
      sessions.hello(peer, (Hello) header, responder);
      return;
    }
    ClientSession session = state instanceof ClientSession client ? client : null;
    if (session == null && !Sessions.ADMIN.equals(state)) {
      throw new FsException(Errno.ENOTCONN, "HELLO comes first");
    }
    if (session != null) {
      if (session.ended()) {
        throw new FsException(Errno.ESTALE, "the session has ended");
      }
      session.heard();
    }
    try {
      serve(peer, session, op, header, payload, responder);
    } catch (FsException e) {
      if (!stopping) {
        throw e;
      }
      turnAway(peer, responder);
    }
  }

  @Override
  public void closed(Peer peer) {
    if (peer.attachment() instanceof ClientSession session) {
      session.disconnect(peer);
    }
  }

  /** Answers what runs, ends its threads, makes everything survive power loss. */
  @Override
  public void close() {
    stopping = true;
    grace.over();
    garbage.close();
    quotaCounter.close();
    trashKeeper.close();
    threads.close();
    parts.blocks().sync();
  }

  /**
   * The line is cut first, so a client elsewhere gets no answer and asks the node that comes next.
   */
  private static void turnAway(Peer peer, Responder responder) {
    peer.close();
    responder.fail(new FsException(Errno.ENOTCONN, "the node stops"));
  }

  private void serve(
      Peer peer,
      ClientSession session,
      Op op,
      MessageLite header,
      MemorySegment payload,
      Responder responder) {
    switch (op) {
      case RENEW -> done(responder);
      case BYE -> {
        if (session != null) {
          sessions.bye(session);
        }
        done(responder);
      }
      case READ -> reads.read(peer, session, (ReadRequest) header, responder);
      case MUTATE -> changes.mutate(peer, session, (MutateRequest) header, responder);
      case RECLAIM -> {
        var unnamed = ReclaimReply.newBuilder();
        if (session != null) {
          unnamed.addAllUnnamed(sessions.reclaim(session, (Reclaim) header));
        }
        responder.reply(unnamed.build(), null);
      }
      case SYNC -> changes.sync(responder, Empty.getDefaultInstance());
      case NOTICE_ACK -> acknowledge(session, (NoticeAck) header, responder);
      case RELEASE_LEASES -> release(session, (ReleaseLeases) header, responder);
      case ADMIN -> administer((AdminRequest) header, responder);
      case LOOKUP ->
          onDisk(
              peer, responder, () -> metadata.lookup(session, (LookupRequest) header, responder));
      case GETATTR ->
          onDisk(
              peer, responder, () -> metadata.getattr(session, (InodeRequest) header, responder));
      case READDIR ->
          onDisk(
              peer, responder, () -> metadata.readdir(session, (ReaddirRequest) header, responder));
      case OPEN ->
          onDisk(peer, responder, () -> metadata.open(session, (OpenRequest) header, responder));
      case WRITE ->
          onDisk(
              peer,
              responder,
              () -> changes.write(session, (WriteRequest) header, payload, responder));
      case READLINK ->
          onDisk(peer, responder, () -> metadata.readlink((InodeRequest) header, responder));
      case XATTR -> onDisk(peer, responder, () -> metadata.xattr((XattrRequest) header, responder));
      case SEEK -> onDisk(peer, responder, () -> metadata.seek((SeekRequest) header, responder));
      case COPY ->
          onDisk(peer, responder, () -> copies.copy(session, (CopyRequest) header, responder));
      case LOCK -> locks.lock(session, (LockRequest) header, responder);
      case STATFS ->
          onDisk(peer, responder, () -> metadata.statfs((InodeRequest) header, responder));
      case HELLO, NOTICE, ERROR -> throw new FsException(Errno.ENOSYS, "not a request", "op", op);
    }
  }

  /** Where RocksDB and block files may be waited for (H28). */
  private void onDisk(Peer peer, Responder responder, Runnable work) {
    if (peer.mayBlock()) {
      work.run();
    } else {
      threads.onDisk(() -> Answers.guard(responder, work));
    }
  }

  /** At once, whatever else waits: others' mutations hang on it. */
  private void acknowledge(ClientSession session, NoticeAck ack, Responder responder) {
    if (session != null) {
      session.acknowledge(ack.getId(), new HashSet<>(ack.getOpenList()), leases);
    }
    done(responder);
  }

  private void release(ClientSession session, ReleaseLeases request, Responder responder) {
    if (session != null) {
      leases.release(session, request.getDirectoriesList(), request.getContentList());
    }
    done(responder);
  }

  private void administer(AdminRequest request, Responder responder) {
    if (!adminPermits.tryAcquire()) {
      throw new FsException(Errno.EBUSY, "too many commands run on this node");
    }
    threads.waiting(
        () -> {
          try {
            Answers.guard(responder, () -> responder.reply(admin.handle(request), null));
          } finally {
            adminPermits.release();
          }
        });
  }

  private void lookAfter() {
    sessions.lookAfter();
    notices.relieve();
  }

  private static void done(Responder responder) {
    responder.reply(Empty.getDefaultInstance(), null);
  }
}
