package io.millrace.meta;

import static io.millrace.meta.NamespaceFixture.ROOT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.proto.CommandResult;
import io.millrace.proto.SetAttr;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Commands that wait for the log alone (submitStored), beside those that name blocks (H13). */
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class LogSyncTest {
  @TempDir private Path directory;

  private static NamespaceConfig config(Path directory, Runnable blockSync) {
    return new NamespaceConfig(directory, 16L << 20, 8L << 20, 0, blockSync);
  }

  private static CompletableFuture<CommandResult> stored(RocksNamespace to, NamespaceFixture fs) {
    var result = new CompletableFuture<CommandResult>();
    to.submitStored(fs.creating(ROOT, "f" + System.nanoTime()).build(), result::complete);
    return result;
  }

  @Test
  void H13_blocksOfEarlierCommandsAreSyncedBeforeTheLog() throws Exception {
    var syncs = new AtomicInteger();
    try (var fs = new NamespaceFixture(directory.resolve("fixture"));
        var namespace =
            new RocksNamespace(config(directory.resolve("m"), syncs::incrementAndGet))) {
      assertEquals(0, stored(namespace, fs).get().getErrno()); // what an earlier life has left
      var grow = SetAttr.newBuilder().setIno(ROOT).setMode(0700);
      assertEquals(0, namespace.apply(fs.command().setSetAttr(grow).build(), false).getErrno());
      int before = syncs.get();
      assertEquals(0, stored(namespace, fs).get().getErrno());
      assertTrue(syncs.get() > before, "the log was synced with a command whose blocks were not");
    }
  }

  @Test
  void H13_namesGoOnWhileTheLogIsSynced() throws Exception {
    var entered = new CountDownLatch(1);
    var leave = new CountDownLatch(1);
    Runnable slow =
        () -> {
          entered.countDown();
          awaitQuietly(leave);
        };
    try (var fs = new NamespaceFixture(directory.resolve("fixture"));
        var namespace = new RocksNamespace(config(directory.resolve("m"), slow))) {
      CompletableFuture<CommandResult> waiting = stored(namespace, fs);
      assertTrue(entered.await(30, TimeUnit.SECONDS));
      for (int i = 0; i < 100; i++) {
        assertEquals(0, namespace.apply(fs.creating(ROOT, "g" + i).build(), false).getErrno());
      }
      assertTrue(!waiting.isDone(), "answered before the log was synced");
      leave.countDown();
      assertEquals(0, waiting.get().getErrno());
    } finally {
      leave.countDown();
    }
  }

  @Test
  void H13_whatCouldNotBeSyncedIsSaid() throws Exception {
    Runnable failing =
        () -> {
          throw new FsException(Errno.EIO, "disk is gone");
        };
    try (var fs = new NamespaceFixture(directory.resolve("fixture"));
        var namespace = new RocksNamespace(config(directory.resolve("m"), failing))) {
      assertEquals(Errno.EIO.code(), stored(namespace, fs).get().getErrno());
    }
  }

  @Test
  void closeAnswersAllThatWait() throws Exception {
    var answers = new AtomicInteger();
    try (var fs = new NamespaceFixture(directory.resolve("fixture"))) {
      var namespace = new RocksNamespace(config(directory.resolve("m"), () -> {}));
      for (int i = 0; i < 500; i++) {
        namespace.submitStored(
            fs.creating(ROOT, "f" + i).build(),
            result -> answers.addAndGet(result.getErrno() == 0 ? 1 : 0));
      }
      namespace.close();
    }
    assertEquals(500, answers.get());
  }

  private static void awaitQuietly(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
