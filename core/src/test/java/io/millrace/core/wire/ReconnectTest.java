package io.millrace.core.wire;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.proto.Command;
import io.millrace.proto.MutateRequest;
import io.millrace.proto.ReadRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a client sees when its node stops, comes back, or comes back as another. */
@Timeout(60)
final class ReconnectTest {
  private final ScriptedHandler handler = new ScriptedHandler();
  private NettyNodeServer server = new NettyNodeServer(ServerConfig.loopback(0), handler);
  private final int port = server.port();
  private final NettyNodeChannel channel = NettyNodeChannel.open(WireTest.config(port, 1024));
  private final RecordingListener listener = new RecordingListener();

  @AfterEach
  void stop() {
    channel.abandon();
    server.close();
  }

  private void restart() {
    server.close();
    server = new NettyNodeServer(ServerConfig.loopback(port), handler);
  }

  @Test
  void unansweredRequestsAreSentAgainWithTheirSequence() throws Exception {
    handler.swallowReplies = true;
    List<CompletableFuture<Void>> answers = new ArrayList<>();
    for (int i = 1; i <= 20; i++) {
      answers.add(mutate(i));
    }
    WireTest.assertEventually(() -> handler.applied.size() == 20, "all at the node");
    handler.swallowReplies = false;
    restart();
    for (var answer : answers) {
      answer.get(10, TimeUnit.SECONDS);
    }
    for (long i = 1; i <= 20; i++) {
      assertEquals(2, handler.applied.get(i), "once before, once after the break");
    }
    assertEquals(channel.welcome().getSession(), handler.hellos.get(1).getSession());
  }

  @Test
  void callsMadeWhileTheNodeIsAwayWait() throws Exception {
    server.close();
    var answer = mutate(1);
    assertThrows(
        java.util.concurrent.TimeoutException.class, () -> answer.get(100, TimeUnit.MILLISECONDS));
    server = new NettyNodeServer(ServerConfig.loopback(port), handler);
    answer.get(10, TimeUnit.SECONDS);
    assertEquals(1, handler.applied.get(1L));
  }

  @Test
  void linesThatBreakUnderLoadLoseNothing() throws Exception {
    var done = new CountDownLatch(4);
    List<Throwable> failures = new java.util.concurrent.CopyOnWriteArrayList<>();
    for (int t = 0; t < 4; t++) {
      long first = 1 + t * 1000L;
      Thread.ofPlatform()
          .start(
              () -> {
                try {
                  for (long i = first; i < first + 500; i++) {
                    mutate(i).get(20, TimeUnit.SECONDS);
                    channel
                        .await(Op.READ, ReadRequest.newBuilder().setLength(20_000).build(), null)
                        .close();
                  }
                } catch (Exception | AssertionError e) {
                  failures.add(e);
                } finally {
                  done.countDown();
                }
              });
    }
    while (!done.await(60, TimeUnit.MILLISECONDS)) {
      channel.cutLine();
    }
    assertEquals(List.of(), failures);
    assertEquals(2000, handler.applied.size());
    WireTest.assertEventually(() -> channel.buffersInUseBytes() == 0, "client buffers given back");
    WireTest.assertEventually(() -> server.buffersInUseBytes() == 0, "server buffers given back");
    WireTest.assertEventually(
        () -> handler.payloadsClosed.get() == handler.payloadsOpen.get(), "payloads closed");
  }

  @Test
  void anotherBootMeansThatLeasesAreLost() throws InterruptedException {
    channel.onNotice(listener);
    handler.boot.set(2);
    restart();
    assertEquals("lost", listener.next());
    assertEquals(0, listener.waiting());
  }

  @Test
  void theSameBootKeepsLeases() throws Exception {
    channel.onNotice(listener);
    restart();
    mutate(1).get(10, TimeUnit.SECONDS);
    assertEquals(0, listener.waiting());
  }

  @Test
  void aLostSessionFailsItsMutationsAndIsReplaced() throws Exception {
    channel.onNotice(listener);
    long before = channel.welcome().getSession();
    handler.swallowReplies = true;
    var unanswered = mutate(1);
    WireTest.assertEventually(() -> handler.applied.size() == 1, "at the node");
    handler.swallowReplies = false;
    handler.loseSession = true;
    restart();
    assertEquals("lost", listener.next());
    assertNotEquals(before, channel.welcome().getSession());
    var failure =
        assertThrows(ExecutionException.class, () -> unanswered.get(10, TimeUnit.SECONDS));
    assertEquals(Errno.ESTALE, ((FsException) failure.getCause()).errno());
    mutate(2).get(10, TimeUnit.SECONDS);
  }

  @Test
  void H09_aClientThatCantRenewIsToldOnceAtTwoThirdsOfTheLease() throws Exception {
    handler.leaseMillis = 600;
    try (var short_ = NettyNodeChannel.open(WireTest.config(port, 10))) {
      short_.onNotice(listener);
      long stopped = System.nanoTime();
      server.close();
      assertEquals("risk", listener.next());
      long millis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - stopped);
      assertTrue(millis < 600, "told after " + millis + " ms of a lease of 600");
      server = new NettyNodeServer(ServerConfig.loopback(port), handler);
      assertEquals("lost", listener.next());
      assertEquals(0, listener.waiting());
    }
  }

  @Test
  void anIdleClientRenews() throws Exception {
    handler.leaseMillis = 1500;
    try (var idle = NettyNodeChannel.open(WireTest.config(port, 10))) {
      idle.onNotice(listener);
      WireTest.assertEventually(() -> handler.renewals.get() >= 4, "renewals");
      assertEquals(0, listener.waiting());
    }
  }

  private CompletableFuture<Void> mutate(long sequence) {
    var answer = new CompletableFuture<Void>();
    channel.call(
        Op.MUTATE,
        MutateRequest.newBuilder().setCommand(Command.newBuilder().setSequence(sequence)).build(),
        null,
        new NodeChannel.Callback() {
          @Override
          public void done(NodeChannel.Reply reply) {
            reply.close();
            answer.complete(null);
          }

          @Override
          public void failed(FsException failure) {
            answer.completeExceptionally(failure);
          }
        });
    return answer;
  }
}
