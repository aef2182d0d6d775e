package io.millrace.core.wire;

import com.google.protobuf.ByteString;
import com.google.protobuf.MessageLite;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.core.api.Pinned;
import io.millrace.proto.Empty;
import io.millrace.proto.Hello;
import io.millrace.proto.MutateRequest;
import io.millrace.proto.ReadReply;
import io.millrace.proto.ReadRequest;
import io.millrace.proto.ReadlinkReply;
import io.millrace.proto.StatfsReply;
import io.millrace.proto.Welcome;
import io.millrace.proto.WriteReply;
import io.millrace.proto.WriteRequest;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** A node in a few lines: READ gives bytes that count up, WRITE sums, STATFS is held back. */
final class ScriptedHandler implements RequestHandler {
  final AtomicInteger payloadsOpen = new AtomicInteger();
  final AtomicInteger payloadsClosed = new AtomicInteger();
  final AtomicInteger farewells = new AtomicInteger();
  final AtomicInteger renewals = new AtomicInteger();
  final AtomicInteger closedPeers = new AtomicInteger();
  final AtomicLong boot = new AtomicLong(1);
  final Queue<Responder> held = new ConcurrentLinkedQueue<>();
  final List<Hello> hellos = new CopyOnWriteArrayList<>();
  final List<Peer> peers = new CopyOnWriteArrayList<>();
  final ConcurrentMap<Long, Integer> applied = new ConcurrentHashMap<>();
  volatile int leaseMillis = 5000;
  volatile boolean loseSession;
  volatile boolean swallowReplies;

  @Override
  public void handle(
      Peer peer, Op op, MessageLite header, MemorySegment payload, Responder responder) {
    switch (op) {
      case HELLO -> welcome(peer, (Hello) header, responder);
      case READ -> read((ReadRequest) header, responder);
      case WRITE -> write((WriteRequest) header, payload, responder);
      case MUTATE -> mutate((MutateRequest) header, responder);
      case STATFS -> held.add(responder);
      case READLINK -> responder.reply(tooBig(), null);
      case BYE -> {
        farewells.incrementAndGet();
        responder.reply(Empty.getDefaultInstance(), null);
      }
      case RENEW -> {
        renewals.incrementAndGet();
        responder.reply(Empty.getDefaultInstance(), null);
      }
      case NOTICE_ACK -> responder.reply(Empty.getDefaultInstance(), null);
      case GETATTR -> throw new IllegalStateException("a bug of the handler");
      case XATTR ->
          responder.fail(new FsException(Errno.ENODATA, "no such attribute", "name", "user.x"));
      case LOOKUP,
          READDIR,
          OPEN,
          SYNC,
          RELEASE_LEASES,
          RECLAIM,
          ADMIN,
          NOTICE,
          SEEK,
          COPY,
          LOCK,
          ERROR ->
          responder.fail(new FsException(Errno.ENOSYS, "not in the script"));
    }
  }

  @Override
  public void closed(Peer peer) {
    closedPeers.incrementAndGet();
  }

  private void welcome(Peer peer, Hello hello, Responder responder) {
    hellos.add(hello);
    peers.add(peer);
    long session =
        hello.getSession() == 0 || loseSession ? 1000 + hellos.size() : hello.getSession();
    responder.reply(
        Welcome.newBuilder()
            .setSession(session)
            .setSessionNumber(1)
            .setLeaseMs(leaseMillis)
            .setBoot(boot.get())
            .build(),
        null);
  }

  @SuppressWarnings("MustBeClosedChecker") // closed with the payload
  private void read(ReadRequest request, Responder responder) {
    var arena = Arena.ofShared();
    MemorySegment bytes = arena.allocate(Math.max(1, request.getLength()));
    for (int i = 0; i < request.getLength(); i++) {
      bytes.set(ValueLayout.JAVA_BYTE, i, (byte) (request.getOffset() + i));
    }
    payloadsOpen.incrementAndGet();
    var pinned =
        new Pinned() {
          @Override
          public MemorySegment bytes() {
            return bytes.asSlice(0, request.getLength());
          }

          @Override
          public void close() {
            arena.close(); // throws where it is closed twice
            payloadsClosed.incrementAndGet();
          }
        };
    responder.reply(ReadReply.newBuilder().setSize(request.getLength()).build(), pinned);
  }

  private static void write(WriteRequest request, MemorySegment payload, Responder responder) {
    long sum = 0;
    for (long i = 0; i < payload.byteSize(); i++) {
      sum += payload.get(ValueLayout.JAVA_BYTE, i) & 0xff;
    }
    var reply = WriteReply.newBuilder();
    reply.getResultBuilder().setApplied(sum).setTaskId(request.getIno());
    responder.reply(reply.build(), null);
  }

  private void mutate(MutateRequest request, Responder responder) {
    applied.merge(request.getCommand().getSequence(), 1, Integer::sum);
    if (!swallowReplies) {
      responder.reply(WriteReply.getDefaultInstance(), null);
    }
  }

  private static MessageLite tooBig() {
    return ReadlinkReply.newBuilder()
        .setTarget(ByteString.copyFrom(new byte[FrameFormat.HEADER_MAX_BYTES + 1]))
        .build();
  }

  void releaseOne() {
    held.remove().reply(StatfsReply.getDefaultInstance(), null);
  }

  /** Also what comes while it is at it: an answer makes room for a call that waited. */
  void releaseHeld() {
    for (Responder next = held.poll(); next != null; next = held.poll()) {
      next.reply(StatfsReply.getDefaultInstance(), null);
    }
  }
}
