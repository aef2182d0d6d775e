package io.millrace.node;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.proto.Command;
import io.millrace.proto.CommandResult;
import io.millrace.proto.Mkdir;
import io.millrace.proto.Notice;
import io.millrace.proto.NoticeKind;
import io.millrace.proto.SetAttr;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Two clients over TCP, and what each hears of the other's changes. */
@Timeout(60)
final class LeaseTest {
  private static final long ROOT = TestClient.ROOT;
  private static final int LONG_LEASE = 60_000;
  @TempDir Path directory;
  private NodeFixture fixture;
  private TestClient one;
  private TestClient two;

  private void start(int leaseMillis) {
    fixture = new NodeFixture(directory, leaseMillis);
    one = fixture.client("one");
    two = fixture.client("two");
  }

  @AfterEach
  void stop() {
    fixture.close();
  }

  @Test
  void H07_theMutatorIsAnsweredAfterTheOtherHasDroppedTheOldState() throws Exception {
    start(LONG_LEASE);
    assertFalse(two.lookup(ROOT, "new").hasInode());
    two.answers = false;
    CompletableFuture<CommandResult> made = mkdir(one, "new");
    Notice notice = two.nextNotice();
    assertEquals(NoticeKind.ENTRY_CHANGED, notice.getItems(0).getKind());
    assertEquals("new", notice.getItems(0).getName().toStringUtf8());
    assertEquals(ROOT, notice.getItems(0).getDir());
    assertEquals(NoticeKind.ATTR_CHANGED, notice.getItems(1).getKind());
    assertThrows(TimeoutException.class, () -> made.get(200, TimeUnit.MILLISECONDS));
    assertTrue(two.lookup(ROOT, "new").hasInode(), "reads go on meanwhile");
    two.acknowledge(notice);
    assertEquals(0, TestClient.join(made).getErrno());
  }

  @Test
  void H07_twoThatOweEachOtherAnAnswerAreBothAnswered() throws Exception {
    start(LONG_LEASE);
    one.list(ROOT);
    two.list(ROOT);
    one.answers = false; // its kernel holds the directory's lock until its own mkdir returns
    two.answers = false;
    CompletableFuture<CommandResult> first = mkdir(one, "a");
    CompletableFuture<CommandResult> second = mkdir(two, "b");
    assertEquals(0, TestClient.join(first).getErrno());
    assertEquals(0, TestClient.join(second).getErrno());
    one.acknowledge(one.nextNotice());
    two.acknowledge(two.nextNotice());
    one.answers = true;
    two.answers = true;
    assertEquals(0, TestClient.join(mkdir(one, "c")).getErrno());
    assertEquals(List.of("a", "b", "c"), two.list(ROOT));
    assertEquals(0, fixture.count("node.session_fenced"));
  }

  @Test
  void H07_whoNeverAnswersIsFencedAndHoldsNobodyUp() {
    start(600);
    two.list(ROOT);
    two.answers = false;
    long began = System.nanoTime();
    assertEquals(0, TestClient.join(mkdir(one, "a")).getErrno());
    long millis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began);
    assertTrue(millis >= 500, "answered after " + millis + " ms, before the lease was over");
    NodeFixture.assertEventually(() -> two.lost.get() == 1, "two knows that its leases are lost");
    assertEquals(1, fixture.count("node.session_fenced"));
    assertEquals(0, TestClient.join(mkdir(one, "b")).getErrno());
    assertEquals(List.of("a", "b"), two.list(ROOT));
  }

  @Test
  void aChangeThatNobodyElseHoldsCostsNoNotice() {
    start(LONG_LEASE);
    long mine = one.mkdir(ROOT, "mine").getIno();
    one.list(mine);
    for (int i = 0; i < 20; i++) {
      one.create(mine, "f" + i);
    }
    assertEquals(0, fixture.count("node.notice_sent"));
  }

  @Test
  void changedContentReachesWhoHoldsIt() throws Exception {
    start(LONG_LEASE);
    long ino = one.create(ROOT, "f").getIno();
    one.write(ino, 0, new byte[] {1, 2, 3});
    assertTrue(two.open(ino).getLease());
    one.write(ino, 0, new byte[] {4, 5, 6});
    Notice notice = two.nextNotice();
    assertTrue(
        notice.getItemsList().stream()
            .anyMatch(
                item -> item.getKind() == NoticeKind.CONTENT_CHANGED && item.getIno() == ino));
    assertArrayEquals(new byte[] {4, 5, 6}, two.read(ino, 0, 10));
    one.write(ino, 0, new byte[] {7});
    assertEquals(0, two.notices.size(), "the lease went with the answer");
  }

  @Test
  void H10_aFileThatIsOpenElsewhereOutlivesItsName() throws Exception {
    start(LONG_LEASE);
    long ino = one.create(ROOT, "f").getIno();
    one.write(ino, 0, new byte[] {1, 2, 3});
    two.open(ino);
    two.openHere.add(ino);
    assertEquals(0, TestClient.join(one.unlink(ROOT, "f", false)).getErrno());
    assertEquals(NoticeKind.ENTRY_DELETED, two.nextNotice().getItems(0).getKind());
    assertFalse(two.lookup(ROOT, "f").hasInode());
    assertArrayEquals(new byte[] {1, 2, 3}, two.read(ino, 0, 10));
    one.close();
    assertEquals(List.of(ino), fixture.namespace.orphans());
    two.reap(ino);
    NodeFixture.assertEventually(() -> fixture.namespace.orphans().isEmpty(), "freed");
    NodeFixture.assertEventually(
        () -> fixture.namespace.sessions().size() == 1, "the maker's session is closed by now");
  }

  @Test
  void H10_aFileThatNobodyHasOpenIsFreedAtOnce() {
    start(LONG_LEASE);
    long ino = one.create(ROOT, "f").getIno();
    two.open(ino);
    assertEquals(0, TestClient.join(one.unlink(ROOT, "f", false)).getErrno());
    NodeFixture.assertEventually(() -> fixture.namespace.orphans().isEmpty(), "freed");
    NodeFixture.assertEventually(
        () ->
            assertThrows(FsException.class, () -> fixture.namespace.inode(ino)).errno()
                == Errno.ESTALE,
        "gone");
  }

  @Test
  void H10_aFileOpenAcrossARestartOutlivesItsName() throws Exception {
    start(LONG_LEASE);
    long open = one.create(ROOT, "open").getIno();
    long idle = one.create(ROOT, "idle").getIno();
    one.write(open, 0, new byte[] {1, 2, 3});
    two.open(open);
    two.open(idle);
    two.openHere.add(open);
    fixture.stop();
    var removed = List.of(one.unlink(ROOT, "open", false), one.unlink(ROOT, "idle", false));
    fixture.start(); // and who comes back first is chance
    removed.forEach(answer -> assertEquals(0, TestClient.join(answer).getErrno()));
    assertArrayEquals(new byte[] {1, 2, 3}, two.read(open, 0, 10));
    NodeFixture.assertEventually(
        () -> fixture.namespace.orphans().equals(List.of(open)), "what is not open is freed");
    two.openHere.clear();
    two.reap(open);
    NodeFixture.assertEventually(() -> fixture.namespace.orphans().isEmpty(), "freed");
  }

  @Test
  void H10_aFileOpenAcrossAFenceOutlivesItsName() throws Exception {
    start(500);
    long ino = one.create(ROOT, "f").getIno();
    one.write(ino, 0, new byte[] {1, 2, 3});
    two.open(ino);
    two.openHere.add(ino);
    two.list(ROOT);
    two.answers = false;
    assertEquals(0, TestClient.join(mkdir(one, "a")).getErrno()); // two did not answer
    assertEquals(0, TestClient.join(one.unlink(ROOT, "f", false)).getErrno());
    NodeFixture.assertEventually(() -> two.lost.get() == 1, "two is back");
    assertArrayEquals(new byte[] {1, 2, 3}, two.read(ino, 0, 10));
    assertEquals(List.of(ino), fixture.namespace.orphans());
    assertEquals(List.of(ino), two.reclaim(), "it is told, as no notice has reached it");
    two.reap(ino);
    NodeFixture.assertEventually(() -> fixture.namespace.orphans().isEmpty(), "freed");
  }

  @Test
  void aFileThatWasCutWhenItWasOpenedIsLeased() {
    start(LONG_LEASE);
    long ino = one.create(ROOT, "f").getIno();
    TestClient.join(
        two.mutate(
            Command.newBuilder()
                .setSetAttr(SetAttr.newBuilder().setIno(ino).setSize(0).setOpen(true))));
    two.openHere.add(ino);
    assertEquals(0, TestClient.join(one.unlink(ROOT, "f", false)).getErrno());
    assertEquals(List.of(ino), fixture.namespace.orphans());
  }

  @Test
  void aRecallLeavesWhatIsOpen() {
    start(LONG_LEASE);
    long open = one.create(ROOT, "open").getIno();
    long idle = one.create(ROOT, "idle").getIno();
    two.open(open);
    two.open(idle);
    two.openHere.add(open);
    var notifier = fixture.node.notifier();
    assertTrue(notifier.leased(idle));
    assertEquals(Set.of(open), notifier.recall(List.of(open, idle)));
    assertFalse(notifier.leased(idle));
    assertTrue(notifier.leased(open));
  }

  @Test
  void theOldestLeasesAreRecalledBeyondTheLimit() {
    start(200);
    for (int i = 0; i < 1200; i++) {
      two.open(one.create(ROOT, "f" + i).getIno());
    }
    NodeFixture.assertEventually(() -> fixture.node.leaseCount() <= 1001, "back to the limit");
  }

  @Test
  void H11_afterARestartAcknowledgementsWaitForTheSessionsOfBefore() throws Exception {
    start(2000);
    two.list(ROOT);
    two.channel.abandon(); // and trusts its cache for the rest of its lease
    fixture.stop();
    fixture.start();
    long began = System.nanoTime();
    assertEquals(0, TestClient.join(mkdir(one, "a")).getErrno());
    long millis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began);
    assertTrue(millis >= 1000, "answered after " + millis + " ms");
  }

  @Test
  void H11_whereAllHaveComeBackNothingWaits() {
    start(LONG_LEASE);
    two.list(ROOT);
    fixture.stop();
    fixture.start();
    assertEquals(0, TestClient.join(mkdir(one, "a")).getErrno());
    NodeFixture.assertEventually(() -> two.lost.get() == 1, "two has dropped its cache");
  }

  private static CompletableFuture<CommandResult> mkdir(TestClient client, String name) {
    return client.mutate(
        Command.newBuilder()
            .setMkdir(
                Mkdir.newBuilder()
                    .setDir(ROOT)
                    .setName(ByteString.copyFromUtf8(name))
                    .setMode(0755)));
  }
}
