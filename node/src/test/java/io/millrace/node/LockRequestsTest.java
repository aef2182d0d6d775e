package io.millrace.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.core.wire.NodeChannel;
import io.millrace.core.wire.Op;
import io.millrace.proto.LockAction;
import io.millrace.proto.LockRecord;
import io.millrace.proto.LockReply;
import io.millrace.proto.LockRequest;
import io.millrace.proto.LockType;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Locks over the wire: waiting, ends of sessions, restarts. */
@Timeout(60)
final class LockRequestsTest {
  private static final long INO = 77;
  private static final String HELD = "held";
  @TempDir Path directory;
  private NodeFixture fixture;
  private TestClient one;
  private TestClient two;

  private void start(int leaseMillis) {
    fixture = new NodeFixture(directory, leaseMillis);
    one = fixture.lockingClient("one");
    two = fixture.lockingClient("two");
  }

  @AfterEach
  void stop() {
    fixture.close();
  }

  private static LockRecord lock(long ino, LockType type) {
    return LockRecord.newBuilder()
        .setIno(ino)
        .setOwner(1)
        .setType(type)
        .setEnd(Long.MAX_VALUE)
        .setPid(42)
        .build();
  }

  private static LockRecord write() {
    return lock(INO, LockType.LOCK_EXCLUSIVE);
  }

  private static LockReply ask(TestClient client, LockRequest.Builder request) {
    try (var reply = client.channel.await(Op.LOCK, request.build(), null)) {
      return reply.as(LockReply.class);
    }
  }

  private static String set(TestClient client, LockRecord lock) {
    try {
      ask(client, LockRequest.newBuilder().setAction(LockAction.LOCK_SET).setLock(lock));
      return HELD;
    } catch (FsException e) {
      return e.errno().name();
    }
  }

  /** What becomes of a request that waits, as it becomes. */
  private static BlockingQueue<String> await(TestClient client, LockRecord lock, long ticket) {
    var outcome = new LinkedBlockingQueue<String>();
    client.channel.call(
        Op.LOCK,
        LockRequest.newBuilder()
            .setAction(LockAction.LOCK_WAIT)
            .setLock(lock)
            .setTicket(ticket)
            .build(),
        null,
        new NodeChannel.Callback() {
          @Override
          public void done(NodeChannel.Reply reply) {
            reply.close();
            outcome.add(HELD);
          }

          @Override
          public void failed(FsException failure) {
            outcome.add(failure.errno().name());
          }
        });
    return outcome;
  }

  private static String next(BlockingQueue<String> outcome) throws InterruptedException {
    return outcome.poll(20, TimeUnit.SECONDS);
  }

  private static List<LockRecord> reclaim(TestClient client, LockRecord... held) {
    List<LockRecord> lost = claim(client, held);
    ask(client, LockRequest.newBuilder().setAction(LockAction.LOCK_RECLAIM).setLast(true));
    return lost;
  }

  /** There may be more to come. */
  private static List<LockRecord> claim(TestClient client, LockRecord... held) {
    return ask(
            client,
            LockRequest.newBuilder().setAction(LockAction.LOCK_RECLAIM).addAllHeld(List.of(held)))
        .getLostList();
  }

  private static LockReply test(TestClient client) {
    return ask(
        client,
        LockRequest.newBuilder()
            .setAction(LockAction.LOCK_TEST)
            .setLock(write().toBuilder().setOwner(9)));
  }

  @Test
  void twoClientsExcludeEachOtherAndAreWoken() throws Exception {
    start(60_000);
    assertEquals(HELD, set(one, write()));
    assertEquals("EAGAIN", set(two, write()));
    assertEquals(42, test(one).getConflict().getPid());
    assertEquals(0, test(two).getConflict().getPid(), "a process of another client");
    BlockingQueue<String> waits = await(two, write(), 1);
    assertEquals(HELD, set(one, lock(INO, LockType.LOCK_NONE)));
    assertEquals(HELD, next(waits));
    assertEquals("EAGAIN", set(one, write()));
  }

  @Test
  void whoIsInterruptedNeverGetsIt() throws Exception {
    start(60_000);
    set(one, write());
    BlockingQueue<String> waits = await(two, write(), 1);
    ask(two, LockRequest.newBuilder().setAction(LockAction.LOCK_CANCEL).setTicket(1));
    assertEquals("EINTR", next(waits));
    set(one, lock(INO, LockType.LOCK_NONE));
    assertFalse(test(one).hasConflict());
  }

  @Test
  void locksEndWithTheSession() throws Exception {
    start(60_000);
    set(one, write());
    BlockingQueue<String> waits = await(two, write(), 1);
    one.close();
    assertEquals(HELD, next(waits));
  }

  @Test
  void whoIsSilentForTheLeaseHasNoLockThatAnotherWants() throws Exception {
    start(300);
    set(one, write());
    one.channel.abandon();
    assertEquals(HELD, next(await(two, write(), 1)));
    var three = fixture.lockingClient("three");
    set(three, lock(INO + 1, LockType.LOCK_EXCLUSIVE));
    three.channel.abandon();
    NodeFixture.assertEventually(
        () -> set(two, lock(INO + 1, LockType.LOCK_EXCLUSIVE)).equals(HELD), "its lock lapses");
  }

  /** What it wrote under the lock must not come after what another wrote under his. */
  @Test
  void whoWasFencedMayNotWriteWhatItHadLocked() {
    start(600);
    long ino = one.create(TestClient.ROOT, "f").getIno();
    set(one, lock(ino, LockType.LOCK_EXCLUSIVE));
    one.list(TestClient.ROOT);
    one.answers = false;
    two.mkdir(TestClient.ROOT, "d");
    NodeFixture.assertEventually(() -> one.lost.get() == 1, "it is fenced");
    assertEquals(HELD, set(two, lock(ino, LockType.LOCK_EXCLUSIVE)));
    assertEquals(Errno.EIO, refused(ino));
    LockRecord had = lock(ino, LockType.LOCK_EXCLUSIVE);
    assertEquals(List.of(had), claim(one, had));
    assertEquals(Errno.EIO, refused(ino), "it may not have read the answer");
    reclaim(one);
    assertEquals(0, one.write(ino, 0, new byte[] {1}).getErrno(), "now it knows");
  }

  private Errno refused(long ino) {
    return assertThrows(FsException.class, () -> one.write(ino, 0, new byte[] {1})).errno();
  }

  @Test
  void H11_afterARestartOthersWaitUntilLocksAreClaimed() throws Exception {
    start(60_000);
    assertEquals(HELD, set(one, write()));
    fixture.stop();
    BlockingQueue<String> waits = await(two, write(), 1);
    BlockingQueue<String> free = await(two, lock(INO + 1, LockType.LOCK_EXCLUSIVE), 2);
    fixture.start();
    NodeFixture.assertEventually(() -> one.lost.get() + two.lost.get() == 2, "both came back");
    assertEquals(List.of(), reclaim(two));
    assertEquals(0, free.size() + waits.size(), "one may hold anything");
    assertEquals(List.of(), reclaim(one, write()));
    assertEquals(HELD, next(free));
    assertEquals("EAGAIN", set(two, write()));
    assertEquals(HELD, set(one, lock(INO, LockType.LOCK_NONE)));
    assertEquals(HELD, next(waits));
  }

  @Test
  void H11_afterTheGraceNothingIsGivenBack() throws Exception {
    start(500);
    assertEquals(HELD, set(one, write()));
    fixture.stop();
    BlockingQueue<String> waits = await(two, write(), 1);
    fixture.start();
    assertEquals(HELD, next(waits), "one did not claim in time");
    assertEquals(List.of(write()), reclaim(one, write()));
  }

  @Test
  void rangesThatAreNoneAreRefused() {
    start(60_000);
    assertEquals("EINVAL", set(one, write().toBuilder().setStart(5).setEnd(4).build()));
    assertEquals("EINVAL", set(one, write().toBuilder().setEnd(-1).build()));
  }
}
