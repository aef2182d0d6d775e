package io.millrace.link;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.core.api.Bucket;
import io.millrace.core.api.ContentSource;
import io.millrace.core.api.ContentSource.Urgency;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.core.api.Pinned;
import io.millrace.proto.Inode;
import io.millrace.proto.LinkRecord;
import io.millrace.proto.TaskKind;
import io.millrace.proto.TaskRecord;
import io.millrace.proto.TaskState;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LoaderTest {
  @TempDir Path directory;
  LinkFixture fixture;

  @BeforeEach
  void open() {
    fixture = new LinkFixture(directory);
  }

  @AfterEach
  void close() {
    fixture.bucket.gate.countDown();
    fixture.close();
  }

  private Inode imported(String body) {
    fixture.object("a", body);
    fixture.link("/x", "");
    fixture.run(TaskKind.TASK_IMPORT, "/x");
    fixture.bucket.forgetRequests();
    return fixture.at("/x/a");
  }

  private String load(Inode inode, int length, Urgency urgency) {
    try (Pinned bytes = fixture.engine.loader().load(inode, 0, 0, length, urgency)) {
      return text(bytes);
    }
  }

  private static String text(Pinned bytes) {
    return new String(
        bytes.bytes().toArray(java.lang.foreign.ValueLayout.JAVA_BYTE),
        java.nio.charset.StandardCharsets.UTF_8);
  }

  @Test
  void sixteenReadersOfOneBlockCostOneGet() throws Exception {
    Inode inode = imported("content");
    fixture.bucket.gate = new CountDownLatch(1);
    var readers = new ArrayList<Future<String>>();
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Callable<String> reader = () -> load(inode, 7, Urgency.READER);
      for (int i = 0; i < 16; i++) {
        readers.add(threads.submit(reader));
      }
      while (fixture.bucket.count("get") == 0) {
        Thread.onSpinWait();
      }
      fixture.bucket.gate.countDown();
      for (var answer : readers) {
        assertEquals("content", answer.get());
      }
    }
    assertEquals(1, fixture.bucket.count("get"));
    assertEquals("content", load(inode, 7, Urgency.READER));
    assertEquals(1, fixture.bucket.count("get"));
    fixture.store.awaitUnpinned();
  }

  @Test
  void interruptOfOneWaiterLeavesTheGetToTheOthers() throws Exception {
    Inode inode = imported("content");
    fixture.bucket.gate = new CountDownLatch(1);
    var first = new AtomicReference<FsException>();
    Thread killed =
        Thread.ofVirtual()
            .start(
                () ->
                    first.set(
                        assertThrows(FsException.class, () -> load(inode, 7, Urgency.READER))));
    while (fixture.bucket.count("get") == 0) {
      Thread.onSpinWait();
    }
    var second = new AtomicReference<String>();
    Thread waits = Thread.ofVirtual().start(() -> second.set(load(inode, 7, Urgency.READER)));
    killed.interrupt();
    killed.join();
    assertEquals(Errno.EINTR, first.get().errno());
    fixture.bucket.gate.countDown();
    waits.join();
    assertEquals("content", second.get());
    assertEquals(1, fixture.bucket.count("get"));
  }

  @Test
  void S06_readOfAGoneObjectIsEioWithAReason() {
    Inode inode = imported("content");
    fixture.bucket.inner.delete("a", Bucket.Condition.ALWAYS);
    var failure = assertThrows(FsException.class, () -> load(inode, 7, Urgency.READER));
    assertEquals(Errno.EIO, failure.errno());
    assertTrue(fixture.engine.reason(inode.getIno()).orElseThrow().contains("gone"));
  }

  @Test
  void S03_readOfAReplacedObjectIsEstaleNeverAMix() {
    Inode inode = imported("content");
    fixture.object("a", "CONTENT");
    var failure = assertThrows(FsException.class, () -> load(inode, 7, Urgency.READER));
    assertEquals(Errno.ESTALE, failure.errno());
    assertTrue(fixture.engine.reason(inode.getIno()).orElseThrow().contains("replaced"));
  }

  @Test
  void H22_readerGivesUpAtItsDeadlineWithAReason() {
    fixture.close();
    fixture.config = LinkFixture.CONFIG.withReaderDeadline(Duration.ofMillis(200));
    fixture.start();
    Inode inode = imported("content");
    fixture.bucket.away.set(true);
    var failure = assertThrows(FsException.class, () -> load(inode, 7, Urgency.READER));
    assertEquals(Errno.EIO, failure.errno());
    assertTrue(fixture.bucket.count("get") > 1, "retried meanwhile");
    assertTrue(fixture.engine.reason(inode.getIno()).orElseThrow().contains("away"));
    fixture.bucket.away.set(false);
    assertEquals("content", load(inode, 7, Urgency.READER));
    assertTrue(fixture.engine.reason(inode.getIno()).isEmpty());
  }

  /** What a reader without a thread was told. */
  private static final class Told implements ContentSource.Receiver {
    final CompletableFuture<String> text = new CompletableFuture<>();

    @Override
    public void loaded(Pinned bytes) {
      try (bytes) {
        text.complete(text(bytes));
      }
    }

    @Override
    public void failed(FsException failure) {
      text.completeExceptionally(failure);
    }

    Errno errno() {
      var failure = assertThrows(ExecutionException.class, () -> text.get(30, TimeUnit.SECONDS));
      return ((FsException) failure.getCause()).errno();
    }
  }

  @Test
  void readersWithoutAThreadShareOneGetEachWithItsRange() throws Exception {
    Inode inode = imported("content");
    fixture.bucket.gate = new CountDownLatch(1);
    var all = new Told();
    var part = new Told();
    var beyond = new Told();
    fixture.engine.loader().load(inode, 0, 0, 7, Urgency.READER, all);
    fixture.engine.loader().load(inode, 0, 3, 4, Urgency.READER, part);
    fixture.engine.loader().load(inode, 0, 3, 5, Urgency.READER, beyond);
    fixture.bucket.gate.countDown();
    assertEquals("content", all.text.get(30, TimeUnit.SECONDS));
    assertEquals("tent", part.text.get(30, TimeUnit.SECONDS));
    assertEquals(Errno.EINVAL, beyond.errno());
    assertEquals(1, fixture.bucket.count("get"));
    fixture.store.awaitUnpinned();
  }

  @Test
  void H22_readerWithoutAThreadIsToldAtTheDeadlineThoughTheGetHangs() {
    fixture.close();
    fixture.config = LinkFixture.CONFIG.withReaderDeadline(Duration.ofMillis(200));
    fixture.start();
    Inode inode = imported("content");
    fixture.bucket.gate = new CountDownLatch(1);
    var told = new Told();
    fixture.engine.loader().load(inode, 0, 0, 7, Urgency.READER, told);
    assertEquals(Errno.EIO, told.errno());
    assertTrue(fixture.engine.reason(inode.getIno()).orElseThrow().contains("away"));
  }

  @Test
  void readersAreToldWhenTheNodeStops() {
    Inode inode = imported("content");
    fixture.bucket.gate = new CountDownLatch(1);
    var told = new Told();
    fixture.engine.loader().load(inode, 0, 0, 7, Urgency.READER, told);
    fixture.engine.loader().close();
    assertEquals(Errno.EIO, told.errno());
  }

  @Test
  void interruptedPreloadLeavesItsBlockToTheReadersThatWait() throws Exception {
    Inode inode = imported("content");
    fixture.bucket.gate = new CountDownLatch(1);
    var failure = new AtomicReference<FsException>();
    Thread preload =
        Thread.ofVirtual()
            .start(
                () ->
                    failure.set(
                        assertThrows(
                            FsException.class, () -> fixture.engine.loader().bring(inode, 0))));
    while (fixture.bucket.count("get") == 0) {
      Thread.onSpinWait();
    }
    var told = new Told();
    fixture.engine.loader().load(inode, 0, 0, 7, Urgency.READER, told);
    preload.interrupt();
    preload.join();
    assertEquals(Errno.EINTR, failure.get().errno());
    fixture.bucket.gate.countDown();
    assertEquals("content", told.text.get(30, TimeUnit.SECONDS));
    fixture.store.awaitUnpinned();
  }

  @Test
  void aRenamedFileIsFoundByWhatItsReaderSawBefore() {
    Inode seen = imported("content");
    fixture.rename("/x/a", "/x/b");
    assertEquals("content", load(seen, 7, Urgency.READER));
  }

  @Test
  void S21_fullBlockStoreStillServes() throws Exception {
    Inode inode = imported("content");
    fixture.store.full = true;
    assertEquals("content", load(inode, 7, Urgency.READER));
    assertEquals("content", load(inode, 7, Urgency.READER));
    assertEquals(2, fixture.bucket.count("get"));
    fixture.store.awaitUnpinned();
  }

  @Test
  void H31_waitingReaderGoesBeforePreload() throws Exception {
    var permits = new GetPermits(4);
    var order = new ArrayList<String>();
    for (int i = 0; i < 3; i++) {
      permits.acquire(new GetPermits.Ticket(Urgency.PRELOAD));
    }
    var preload = new GetPermits.Ticket(Urgency.PRELOAD);
    Thread waits =
        Thread.ofVirtual()
            .start(
                () -> {
                  try {
                    permits.acquire(preload);
                    synchronized (order) {
                      order.add("preload");
                    }
                  } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                  }
                });
    permits.acquire(new GetPermits.Ticket(Urgency.READER)); // the quarter kept for readers
    synchronized (order) {
      assertEquals(0, order.size());
    }
    permits.release();
    permits.release();
    permits.raise(preload, Urgency.READER);
    waits.join();
    assertEquals(1, order.size());
  }

  @Test
  void preloadBringsWhatIsMissingAndNothingElse() throws Exception {
    for (int i = 0; i < 40; i++) {
      fixture.object("d" + i % 3 + "/f" + i, "body" + i);
    }
    fixture.object("big", "b".repeat(9 << 20));
    fixture.link(LinkRecord.newBuilder().setPath(LinkFixture.bytes("/x")));
    fixture.run(TaskKind.TASK_IMPORT, "/x");
    fixture.read("/x/d0/f0");
    fixture.bucket.forgetRequests();
    TaskRecord dry =
        fixture.run(
            TaskRecord.newBuilder()
                .setKind(TaskKind.TASK_PRELOAD)
                .setPath(LinkFixture.bytes("/x"))
                .setDryRun(true));
    assertEquals(40, dry.getFilesDone());
    assertEquals(0, fixture.bucket.requests.size());

    TaskRecord task = fixture.run(TaskKind.TASK_PRELOAD, "/x");

    assertEquals(TaskState.TASK_DONE, task.getState(), task.toString());
    assertEquals(40, task.getFilesDone());
    assertEquals(1, task.getFilesSkipped());
    assertEquals(39 + 3, fixture.bucket.count("get"));
    assertEquals(42, fixture.bucket.requests.size());
    assertEquals("cached", fixture.state("/x/big"));
    assertEquals(41, fixture.run(TaskKind.TASK_PRELOAD, "/x").getFilesSkipped());
    assertEquals(42, fixture.bucket.requests.size());
    fixture.store.awaitUnpinned();
  }

  @Test
  void S24_cancelledPreloadEndsAndRetryRunsTheFailedOnly() {
    for (int i = 0; i < 10; i++) {
      fixture.object("f" + i, "body");
    }
    fixture.link("/x", "");
    fixture.run(TaskKind.TASK_IMPORT, "/x");
    fixture.bucket.inner.delete("f3", Bucket.Condition.ALWAYS);
    TaskRecord task = fixture.run(TaskKind.TASK_PRELOAD, "/x");
    assertEquals(TaskState.TASK_FAILED, task.getState());
    assertEquals("/x/f3", task.getFailures(0).getPath());
    assertEquals(9, task.getFilesDone());
    fixture.bucket.forgetRequests();
    fixture.admin(
        io.millrace.proto.AdminRequest.newBuilder()
            .setTaskQuery(
                io.millrace.proto.TaskQuery.newBuilder().setId(task.getId()).setRetry(true)));
    assertEquals(1, fixture.finished(task.getId()).getFilesFailed());
    assertEquals(1, fixture.bucket.count("get"));

    fixture.object("g", "new");
    fixture.run(TaskKind.TASK_IMPORT, "/x");
    fixture.bucket.away.set(true);
    long id =
        fixture.start(
            TaskRecord.newBuilder()
                .setKind(TaskKind.TASK_PRELOAD)
                .setPath(LinkFixture.bytes("/x/g")));
    fixture.admin(
        io.millrace.proto.AdminRequest.newBuilder()
            .setTaskQuery(io.millrace.proto.TaskQuery.newBuilder().setId(id).setCancel(true)));
    assertEquals(TaskState.TASK_CANCELLED, fixture.finished(id).getState());
  }
}
