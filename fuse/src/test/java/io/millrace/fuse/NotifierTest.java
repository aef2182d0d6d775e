package io.millrace.fuse;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Notices byte by byte, and in which order they may leave. */
@Timeout(30)
class NotifierTest {
  private static final int CAPACITY = 8;

  private final FakeKernel kernel = new FakeKernel();
  private final BlockingQueue<Integer> done = new LinkedBlockingQueue<>();
  private final DeviceDescriptor descriptor = new DeviceDescriptor(kernel.theirs);
  private FuseNotifier notifier;

  @BeforeEach
  void start() {
    notifier = new FuseNotifier(descriptor, FakeKernel.features(45), 2, CAPACITY);
    notifier.start();
  }

  @AfterEach
  void end() {
    notifier.close();
    assertFalse(notifier.incEpoch(done::add));
    descriptor.close();
    kernel.hangUp();
    kernel.close();
  }

  private static byte[] name(String s) {
    return s.getBytes(StandardCharsets.UTF_8);
  }

  @Test
  void entryInodeAndDeleteAreLaidOut() throws Exception {
    assertTrue(notifier.invalidateEntry(7, name("abc"), true, done::add));
    FakeKernel.Reply entry = kernel.receive();
    assertEquals(3, entry.error());
    assertEquals(0, entry.unique());
    MemorySegment b = entry.body();
    assertEquals(20, b.byteSize());
    assertEquals(7, b.get(Wire.U64, 0));
    assertEquals(3, b.get(Wire.U32, 8));
    assertEquals(1, b.get(Wire.U32, 12));
    assertEquals("abc", b.getString(16));
    assertEquals(0, done.take());

    notifier.invalidateInode(9, -1, 5, done::add);
    FakeKernel.Reply inode = kernel.receive();
    assertEquals(2, inode.error());
    assertEquals(24, inode.body().byteSize());
    assertEquals(-1, inode.body().get(Wire.U64, 8));

    notifier.delete(7, 8, name("x"), done::add);
    FakeKernel.Reply delete = kernel.receive();
    assertEquals(6, delete.error());
    assertEquals(8, delete.body().get(Wire.U64, 8));
    assertEquals(1, delete.body().get(Wire.U32, 16));
    assertEquals("x", delete.body().getString(24));

    notifier.incEpoch(done::add);
    assertEquals(8, kernel.receive().error());
  }

  @Test
  void whatTheKernelCannotIsSaidByItsErrno() throws Exception {
    var old = new FuseNotifier(descriptor, FakeKernel.features(43), 1, CAPACITY);
    assertTrue(old.incEpoch(done::add));
    assertEquals(38, done.take());
  }

  @Test
  void H07_oneBlockedNoticeDelaysOnlyItsKeyAndAFullQueueRefuses() throws Exception {
    var entered = new CountDownLatch(1);
    var go = new CountDownLatch(1);
    notifier.invalidateInode(
        1,
        0,
        0,
        _ -> {
          entered.countDown();
          awaitQuietly(go);
        });
    assertEquals(1, kernel.receive().body().get(Wire.U64, 0));
    entered.await();
    notifier.invalidateInode(1, 10, 0, done::add);
    for (int i = 0; i < CAPACITY - 2; i++) {
      assertTrue(notifier.invalidateInode(2, i, 0, done::add));
      assertEquals(2, kernel.receive().body().get(Wire.U64, 0));
      assertEquals(0, done.take());
    }
    while (notifier.waiting() < CAPACITY) {
      notifier.invalidateInode(1, 20, 0, done::add);
    }
    assertFalse(notifier.invalidateInode(3, 0, 0, done::add));
    go.countDown();
    assertEquals(10, kernel.receive().body().get(Wire.U64, 8));
    assertEquals(20, kernel.receive().body().get(Wire.U64, 8));
  }

  @Test
  void noticesOfOneKeyKeepTheirOrder() throws Exception {
    Map<Long, Long> last = new HashMap<>();
    for (long i = 1; i <= 2000; i++) {
      while (!notifier.invalidateInode(1 + i % 5, i, 0, done::add)) {
        Thread.onSpinWait();
      }
      MemorySegment b = kernel.receive().body();
      Long before = last.put(b.get(Wire.U64, 0), b.get(Wire.U64, 8));
      assertTrue(before == null || before < b.get(Wire.U64, 8));
    }
  }

  private static void awaitQuietly(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
