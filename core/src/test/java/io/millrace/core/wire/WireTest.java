package io.millrace.core.wire;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.proto.Command;
import io.millrace.proto.Empty;
import io.millrace.proto.InodeRequest;
import io.millrace.proto.MutateRequest;
import io.millrace.proto.Notice;
import io.millrace.proto.ReadReply;
import io.millrace.proto.ReadRequest;
import io.millrace.proto.WriteReply;
import io.millrace.proto.WriteRequest;
import io.millrace.proto.XattrRequest;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class WireTest {
  private final ScriptedHandler handler = new ScriptedHandler();
  private NettyNodeServer server;
  private NettyNodeChannel channel;

  @BeforeEach
  void start() {
    server = new NettyNodeServer(ServerConfig.loopback(0), handler);
    channel = NettyNodeChannel.open(config(server.port(), 1024));
  }

  @AfterEach
  void stop() {
    channel.close();
    server.close();
  }

  @Test
  void repliesCarryTheirPayloadAndGiveItBack() {
    for (int length : new int[] {0, 1, 100, 64 << 10, 1 << 20, 4 << 20}) {
      try (var reply = read(7, length)) {
        assertEquals(length, reply.as(ReadReply.class).getSize());
        checkCountsUp(reply.payload().bytes(), 7, length);
      }
    }
    assertEventually(() -> handler.payloadsClosed.get() == 6, "payloads closed");
    assertEventually(() -> channel.buffersInUseBytes() == 0, "client buffers given back");
    assertEventually(() -> server.buffersInUseBytes() == 0, "server buffers given back");
  }

  @Test
  void requestsCarryTheirPayload() {
    try (var arena = Arena.ofShared()) {
      for (int length : new int[] {1, 1000, 4 << 20}) {
        MemorySegment payload = arena.allocate(length).fill((byte) 3);
        var request = WriteRequest.newBuilder().setIno(length).build();
        try (var reply = channel.await(Op.WRITE, request, payload)) {
          var result = reply.as(WriteReply.class).getResult();
          assertEquals(3L * length, result.getApplied());
          assertEquals(length, result.getTaskId());
        }
      }
    }
    assertEventually(() -> server.buffersInUseBytes() == 0, "server buffers given back");
  }

  @Test
  void manyCallersShareOneLine() throws Exception {
    try (var callers = Executors.newFixedThreadPool(8)) {
      List<Future<?>> all = new ArrayList<>();
      for (int t = 0; t < 8; t++) {
        int caller = t;
        all.add(callers.submit(() -> readMany(caller)));
      }
      for (Future<?> one : all) {
        one.get();
      }
    }
    assertEquals(1, server.connections());
    assertEventually(
        () -> handler.payloadsClosed.get() == handler.payloadsOpen.get(), "payloads closed");
    assertEventually(() -> channel.buffersInUseBytes() == 0, "client buffers given back");
  }

  private void readMany(int caller) {
    for (int i = 0; i < 500; i++) {
      int length = (caller * 7919 + i * 131) % 40_000;
      try (var reply = read(i, length)) {
        checkCountsUp(reply.payload().bytes(), i, length);
      }
    }
  }

  @Test
  void failuresKeepErrnoAndText() {
    var failure =
        assertThrows(
            FsException.class,
            () -> channel.await(Op.XATTR, XattrRequest.getDefaultInstance(), null));
    assertEquals(Errno.ENODATA, failure.errno());
    assertEquals("no such attribute [ENODATA, name=user.x]", failure.getMessage());
  }

  @Test
  void aBugOfTheHandlerIsEioAndTheLineGoesOn() {
    var failure =
        assertThrows(
            FsException.class,
            () -> channel.await(Op.GETATTR, InodeRequest.getDefaultInstance(), null));
    assertEquals(Errno.EIO, failure.errno());
    read(0, 10).close();
  }

  @Test
  void headersAndPayloadsHaveLimits() {
    var reply =
        assertThrows(
            FsException.class,
            () -> channel.await(Op.READLINK, InodeRequest.getDefaultInstance(), null));
    assertEquals(Errno.EOVERFLOW, reply.errno());
    var big = MemorySegment.ofArray(new byte[FrameFormat.PAYLOAD_MAX_BYTES + 1]);
    var request =
        assertThrows(
            FsException.class,
            () -> channel.await(Op.WRITE, WriteRequest.getDefaultInstance(), big));
    assertEquals(Errno.EOVERFLOW, request.errno());
    read(0, 10).close();
  }

  @Test
  void noticesArrive() throws InterruptedException {
    var listener = new RecordingListener();
    channel.onNotice(listener);
    handler.peers.getFirst().push(Notice.newBuilder().setId(42).build());
    assertEquals("notice 42", listener.next());
  }

  @Test
  void callsBlockWhileTooManyAreUnanswered() throws InterruptedException {
    try (var narrow = NettyNodeChannel.open(config(server.port(), 2))) {
      var answered = new CountDownLatch(3);
      hold(narrow, answered);
      hold(narrow, answered);
      assertEventually(() -> handler.held.size() == 2, "two requests at the node");
      var third = new CountDownLatch(1);
      Thread caller =
          Thread.ofPlatform()
              .start(
                  () -> {
                    hold(narrow, answered);
                    third.countDown();
                  });
      assertEventually(() -> caller.getState() == Thread.State.WAITING, "the third waits");
      assertEquals(1, third.getCount());
      handler.releaseOne();
      assertTrue(third.await(10, TimeUnit.SECONDS));
      assertEventually(() -> handler.held.size() == 2, "the third at the node");
      handler.releaseHeld();
      assertTrue(answered.await(10, TimeUnit.SECONDS));
    }
  }

  @Test
  void theNodeStopsReadingWhatItCantAnswer() {
    var limits = new ServerConfig("127.0.0.1", 0, 1, 10, 4, 1 << 20);
    try (var small = new NettyNodeServer(limits, handler);
        var client = NettyNodeChannel.open(config(small.port(), 1024))) {
      var answered = new CountDownLatch(3000);
      for (int i = 0; i < 3000; i++) {
        hold(client, answered, i < 1000);
      }
      while (answered.getCount() > 0) {
        handler.releaseHeld();
        Thread.onSpinWait();
      }
    }
    assertTrue(handler.held.isEmpty());
  }

  @Test
  void closingEndsTheSessionAndFailsWhatIsUnanswered() {
    var client = NettyNodeChannel.open(config(server.port(), 10));
    var answered = new CountDownLatch(1);
    hold(client, answered);
    client.close();
    assertEquals(0, answered.getCount());
    assertEquals(1, handler.farewells.get());
    assertEventually(() -> handler.closedPeers.get() == 1, "the node saw the line end");
    var late =
        assertThrows(
            FsException.class, () -> client.await(Op.STATFS, Empty.getDefaultInstance(), null));
    assertEquals(Errno.ECANCELED, late.errno());
  }

  @Test
  void anInterruptEndsTheWait() throws InterruptedException {
    var seen = new CountDownLatch(1);
    Thread waiter =
        Thread.ofVirtual()
            .start(
                () -> {
                  var failure =
                      assertThrows(
                          FsException.class,
                          () -> channel.await(Op.STATFS, Empty.getDefaultInstance(), null));
                  assertEquals(Errno.EINTR, failure.errno());
                  seen.countDown();
                });
    assertEventually(() -> handler.held.size() == 1, "request at the node");
    waiter.interrupt();
    assertTrue(seen.await(10, TimeUnit.SECONDS));
    handler.releaseHeld();
    read(0, 10).close();
  }

  @Test
  void aTakenPortIsToldWithTheWayOut() {
    var failure =
        assertThrows(
            FsException.class,
            () -> new NettyNodeServer(ServerConfig.loopback(server.port()), handler).close());
    assertEquals(Errno.EADDRINUSE, failure.errno());
    assertTrue(failure.getMessage().contains("--listen"), failure.getMessage());
    assertTrue(failure.getMessage().contains(":" + server.port()), failure.getMessage());
  }

  @Test
  void nobodyListeningIsToldWithTheWayOut() {
    int port = server.port();
    server.close();
    var failure = assertThrows(FsException.class, () -> NettyNodeChannel.open(config(port, 1)));
    assertEquals(Errno.ECONNREFUSED, failure.errno());
    assertTrue(failure.getMessage().contains("--server"), failure.getMessage());
  }

  @Test
  void inTheSameProcessNothingIsCopied() {
    try (var local = new LocalNodeChannel(handler, "here", false)) {
      assertTrue(handler.peers.getLast().mayBlock());
      assertFalse(handler.peers.getFirst().mayBlock());
      try (var reply = local.await(Op.READ, request(5, 100), null)) {
        checkCountsUp(reply.payload().bytes(), 5, 100);
        assertEquals(0, handler.payloadsClosed.get());
      }
      assertEquals(1, handler.payloadsClosed.get());
    }
    assertEquals(1, handler.farewells.get());
  }

  @Test
  void aLineThatTheNodeCutsIsTakenUpAgain() throws InterruptedException {
    var listener = new RecordingListener();
    channel.onNotice(listener);
    handler.boot.set(2);
    handler.peers.getFirst().close();
    assertEquals("lost", listener.next());
    assertEquals(channel.welcome().getSession(), handler.hellos.getLast().getSession());
    read(1, 10).close();
    try (var local = new LocalNodeChannel(handler, "here", false)) {
      var here = new RecordingListener();
      local.onNotice(here);
      handler.boot.set(3);
      handler.peers.getLast().close();
      assertEquals("lost", here.next());
      assertNull(firstFailure(local));
    }
  }

  private static FsException firstFailure(NodeChannel channel) {
    try (var reply = channel.await(Op.MUTATE, mutation(9), null)) {
      assertEquals(WriteReply.getDefaultInstance(), reply.header());
      return null;
    } catch (FsException e) {
      return e;
    }
  }

  private static MutateRequest mutation(long sequence) {
    return MutateRequest.newBuilder()
        .setCommand(Command.newBuilder().setSequence(sequence))
        .build();
  }

  static ChannelConfig config(int port, int inFlightMax) {
    return new ChannelConfig("127.0.0.1", port, "test", false, 1, inFlightMax, 0, false);
  }

  private NodeChannel.Reply read(int offset, int length) {
    return channel.await(Op.READ, request(offset, length), null);
  }

  private static ReadRequest request(int offset, int length) {
    return ReadRequest.newBuilder().setOffset(offset).setLength(length).build();
  }

  private static void hold(NettyNodeChannel channel, CountDownLatch answered) {
    hold(channel, answered, true);
  }

  private static void hold(NettyNodeChannel channel, CountDownLatch answered, boolean counted) {
    channel.call(
        counted ? Op.STATFS : Op.RENEW,
        Empty.getDefaultInstance(),
        null,
        new NodeChannel.Callback() {
          @Override
          public void done(NodeChannel.Reply reply) {
            reply.close();
            answered.countDown();
          }

          @Override
          public void failed(FsException failure) {
            answered.countDown();
          }
        });
  }

  private static void checkCountsUp(MemorySegment bytes, int from, int length) {
    assertEquals(length, bytes.byteSize());
    for (int i = 0; i < length; i++) {
      if (bytes.get(ValueLayout.JAVA_BYTE, i) != (byte) (from + i)) {
        assertEquals((byte) (from + i), bytes.get(ValueLayout.JAVA_BYTE, i), "byte " + i);
      }
    }
  }

  static void assertEventually(BooleanSupplier condition, String what) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
    while (!condition.getAsBoolean()) {
      assertTrue(System.nanoTime() < deadline, "not within 10 s: " + what);
      Thread.onSpinWait();
    }
  }
}
