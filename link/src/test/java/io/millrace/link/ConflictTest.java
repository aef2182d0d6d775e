package io.millrace.link;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.core.api.Bucket;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.core.api.Namespace;
import io.millrace.proto.Command;
import io.millrace.proto.Inode;
import io.millrace.proto.LinkRecord;
import io.millrace.proto.TaskKind;
import io.millrace.proto.TaskRecord;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Conflicts step by step: an end of the node between any two of them, the same conflict twice, and
 * what else goes on with the same keys meanwhile. Neither version may be lost, and each file that
 * is listed can be read.
 */
class ConflictTest {
  private static final int WAIT_MS = 15_000;

  @TempDir Path directory;
  LinkFixture fixture;

  @BeforeEach
  void open() {
    fixture = new LinkFixture(directory);
  }

  @AfterEach
  void close() {
    fixture.close();
  }

  private void assertExported(String path) {
    fixture.engine.wake(1);
    assertTrue(fixture.exported(path, WAIT_MS), "not exported");
  }

  private Map<String, String> contents() {
    var contents = new TreeMap<String, String>();
    fixture.names("/x").forEach(name -> contents.put(name, fixture.read("/x/" + name)));
    return contents;
  }

  private Map<String, String> objects() {
    var objects = new TreeMap<String, String>();
    fixture.keys().forEach(key -> objects.put(key, fixture.objectText(key)));
    return objects;
  }

  /** File and object agree; of what was kept beside {@code a} there is exactly this. */
  private void assertInStep(String own, List<String> kept) {
    assertExported("/x");
    fixture.run(TaskKind.TASK_IMPORT, "/x");
    assertEquals(objects(), contents());
    assertEquals(own, contents().get("a"));
    assertEquals(
        kept.stream().sorted().toList(),
        contents().entrySet().stream()
            .filter(file -> file.getKey().startsWith("a.conflict-"))
            .map(Map.Entry::getValue)
            .sorted()
            .toList());
  }

  /** {@code a} is in the bucket and here. */
  private void imported() {
    fixture.object("a", "base");
    fixture.exporting("/x", "");
    fixture.run(TaskKind.TASK_IMPORT, "/x");
  }

  /**
   * {@code a} was changed here and in the bucket; nothing of it is exported while it is written.
   */
  private void conflict() {
    imported();
    fixture.writing.add(fixture.at("/x/a").getIno());
    fixture.write("/x/a", "mine");
    fixture.object("a", "theirs");
  }

  private String conflictAndKept() {
    conflict();
    fixture.writing.clear();
    assertExported("/x");
    return keptName("/x");
  }

  private String keptName(String directory) {
    return fixture.names(directory).stream()
        .filter(name -> name.startsWith("a.conflict-"))
        .findFirst()
        .orElseThrow();
  }

  /** The same version of theirs once more, over another one of ours, met by its export. */
  private void conflictAgain() {
    changeAgain();
    fixture.writing.remove(fixture.at("/x/a").getIno());
    assertExported("/x");
  }

  /** The same, met by an import while the file is still written. */
  private void conflictAgainAtImport() {
    changeAgain();
    fixture.run(TaskKind.TASK_IMPORT, "/x");
  }

  private void changeAgain() {
    fixture.writing.add(fixture.at("/x/a").getIno());
    fixture.write("/x/a", "ours");
    fixture.object("a", "theirs");
  }

  /** The bucket refuses this request from now on; counted down each time it does. */
  private CountDownLatch refusing(String refused, int times) {
    var latch = new CountDownLatch(times);
    fixture.bucket.before =
        request -> {
          if (request.equals(refused)) {
            latch.countDown();
            throw dead();
          }
        };
    return latch;
  }

  private static FsException dead() {
    return new FsException(Errno.EIO, "the node is dead");
  }

  /** The engine gets no further than before such a command, once. */
  private static Namespace endingAt(Namespace inner, Predicate<Command> step, AtomicBoolean once) {
    return before(
        inner,
        command -> step.test(command) && !once.getAndSet(true),
        () -> {
          throw dead();
        });
  }

  /** Something happens before each such command of the engine. */
  private static Namespace before(Namespace inner, Predicate<Command> step, Runnable happens) {
    return (Namespace)
        Proxy.newProxyInstance(
            Namespace.class.getClassLoader(),
            new Class<?>[] {Namespace.class},
            (proxy, method, arguments) -> {
              if (arguments != null
                  && arguments[0] instanceof Command command
                  && step.test(command)) {
                happens.run();
              }
              try {
                return method.invoke(inner, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }

  @Test
  void H18_theNodeEndsAfterTheCopy() {
    for (TaskKind found : List.of(TaskKind.TASK_EXPORT, TaskKind.TASK_IMPORT)) {
      conflict();
      var once = new AtomicBoolean();
      fixture.bucket.made =
          request -> {
            if (request.startsWith("copy a.conflict-") && !once.getAndSet(true)) {
              throw dead();
            }
          };
      if (found == TaskKind.TASK_EXPORT) {
        fixture.writing.clear();
      }
      fixture.run(found, "/x");
      assertTrue(once.get());
      fixture.restart();
      fixture.writing.clear();
      assertInStep("mine", List.of("theirs"));
      reopen();
    }
  }

  private void reopen() {
    fixture.close();
    fixture = new LinkFixture(directory.resolve("next"));
  }

  @Test
  void H18_theNodeEndsBeforeTheEntryOrTheMark() {
    for (Predicate<Command> step :
        List.<Predicate<Command>>of(
            command ->
                command.hasImportBatch()
                    && command.getImportBatch().getDirectories(0).getEntriesCount() == 1
                    && command
                        .getImportBatch()
                        .getDirectories(0)
                        .getEntries(0)
                        .getName()
                        .toStringUtf8()
                        .contains(".conflict-"),
            Command::hasMarkExported)) {
      var once = new AtomicBoolean();
      conflict();
      fixture.wrapped = inner -> endingAt(inner, step, once);
      fixture.restart();
      fixture.run(TaskKind.TASK_IMPORT, "/x");
      assertTrue(once.get());
      fixture.wrapped = inner -> inner;
      fixture.restart();
      fixture.writing.clear();
      assertInStep("mine", List.of("theirs"));
      reopen();
    }
  }

  /** S3Proxy is one; the copy's etag is then not that of the version that was asked for. */
  @Test
  void H18_aStoreThatChecksBeforeItCopies() {
    conflict();
    var once = new AtomicBoolean();
    fixture.bucket.copyChecks.set(false);
    fixture.bucket.before =
        request -> {
          if (request.startsWith("copy a.conflict-") && !once.getAndSet(true)) {
            fixture.object("a", "theirs, and longer");
          }
        };
    fixture.writing.clear();
    assertInStep("mine", List.of("theirs, and longer"));
    assertTrue(once.get());
  }

  /** An import and an export find the same conflict; the import is the slower one. */
  @Test
  void S04_anImportThatFindsTheConflictTooUndoesNoExport() {
    conflict();
    var once = new AtomicBoolean();
    fixture.wrapped =
        inner ->
            before(
                inner,
                command -> command.hasMarkExported() && !once.getAndSet(true),
                () -> {
                  fixture.writing.clear();
                  assertExported("/x");
                });
    fixture.restart();
    fixture.run(TaskKind.TASK_IMPORT, "/x");
    assertTrue(once.get());
    Inode a = fixture.at("/x/a");
    assertEquals("mine", fixture.objectText("a"));
    assertEquals(
        fixture.bucket.inner.head("a").orElseThrow().info().etag(),
        a.getObject().getEtag().toStringUtf8());
    fixture.run(TaskKind.TASK_EVICT, "/x");
    assertInStep("mine", List.of("theirs"));
  }

  /** S6: between the look at the bucket and the removal the user saves the file. */
  @Test
  void S07_aFileChangedBeforeItIsRemovedStays() {
    fixture.object("a", "base");
    fixture.object("b", "base");
    fixture.exporting("/x", "");
    fixture.run(TaskKind.TASK_IMPORT, "/x");
    fixture.bucket.inner.delete("a", Bucket.Condition.ALWAYS);
    fixture.bucket.inner.delete("b", Bucket.Condition.ALWAYS);
    var once = new AtomicBoolean();
    fixture.wrapped =
        inner ->
            before(
                inner,
                command -> command.hasUnlink() && !once.getAndSet(true),
                () -> {
                  fixture.write("/x/a", "mine");
                  fixture.write("/x/new", "saved");
                  fixture.rename("/x/new", "/x/b");
                });
    fixture.restart();
    fixture.run(
        TaskRecord.newBuilder()
            .setKind(TaskKind.TASK_IMPORT)
            .setPath(LinkFixture.bytes("/x"))
            .setDeleteMissing(true));
    assertTrue(once.get());
    assertExported("/x");
    assertEquals(Map.of("a", "mine", "b", "saved"), contents());
    assertEquals(Map.of("a", "mine", "b", "saved"), objects());
  }

  @Test
  void S04_anEmptyFileIsAFileToo() {
    fixture.exporting("/x", "");
    fixture.object("a", "theirs");
    fixture.create("/x/a");
    assertInStep("", List.of("theirs"));
  }

  @Test
  void S04_theSameConflictTwiceIsOneCopy() {
    conflictAndKept();
    fixture.bucket.forgetRequests();
    conflictAgain();
    assertEquals(0, fixture.bucket.count("copy"));
    assertInStep("ours", List.of("theirs"));
  }

  @Test
  void S04_aChangedCopyIsNotOverwritten() {
    String kept = conflictAndKept();
    fixture.write("/x/" + kept, "edited");
    assertExported("/x");
    conflictAgain();
    assertInStep("ours", List.of("theirs", "edited"));
  }

  @Test
  void S04_aCopyThatIsBeingChangedIsNotWhereTheNextIsKept() {
    String kept = conflictAndKept();
    fixture.writing.add(fixture.at("/x/" + kept).getIno());
    fixture.write("/x/" + kept, "edited");
    conflictAgainAtImport();
    fixture.writing.clear();
    assertInStep("ours", List.of("theirs", "edited"));
  }

  @Test
  void S04_aDeleteThatWaitsTakesNoOtherCopyAlong() throws InterruptedException {
    String kept = conflictAndKept();
    var refused = refusing("delete " + kept, 1);
    fixture.unlink("/x/" + kept);
    fixture.engine.wake(1);
    assertTrue(refused.await(WAIT_MS, TimeUnit.MILLISECONDS));
    conflictAgainAtImport();
    fixture.bucket.before = request -> {};
    fixture.writing.clear();
    assertInStep("ours", List.of("theirs"));
  }

  @Test
  void S04_aRenamedCopyIsNotWhereTheNextIsKept() {
    String kept = conflictAndKept();
    refusing("copy saved", 1);
    fixture.rename("/x/" + kept, "/x/saved");
    conflictAgainAtImport();
    fixture.bucket.before = request -> {};
    fixture.writing.clear();
    assertInStep("ours", List.of("theirs"));
    assertEquals("theirs", fixture.read("/x/saved"));
  }

  @Test
  void S04_aCopyDeletedForGoodIsKeptAgain() {
    conflict();
    fixture.set("/x", LinkRecord.newBuilder().setExportDeleted(false), "export_deleted");
    fixture.writing.clear();
    assertExported("/x");
    fixture.unlink("/x/" + keptName("/x"));
    assertExported("/x");
    conflictAgain();
    assertEquals("theirs", fixture.read("/x/" + keptName("/x")));
    assertEquals("ours", fixture.objectText("a"));
  }

  @Test
  void H03_aConflictBelowADirectoryWhoseMoveWaits() {
    fixture.object("d/b", "b");
    fixture.exporting("/x", "");
    fixture.run(TaskKind.TASK_IMPORT, "/x");
    refusing("copy e/b", 1);
    fixture.rename("/x/d", "/x/e");
    fixture.object("e/a", "theirs");
    fixture.object("e/new", "new");
    fixture.write("/x/e/a", "mine");
    fixture.run(TaskKind.TASK_IMPORT, "/x");
    Inode a = fixture.at("/x/e/a");
    fixture.run(TaskKind.TASK_EXPORT, "/x/e/a");
    assertEquals(a.getIno(), fixture.at("/x/e/a").getIno());
    String kept = keptName("/x/e");
    assertEquals("new", fixture.read("/x/e/new"));
    assertEquals("theirs", fixture.read("/x/e/" + kept));
    fixture.bucket.before = request -> {};
    assertExported("/x");
    assertEquals("theirs", fixture.read("/x/e/" + kept));
    assertEquals(
        List.of("e/a", "e/" + kept, "e/b", "e/new"),
        fixture.keys().stream().filter(key -> !key.endsWith("/")).toList());
    assertEquals("mine", fixture.objectText("e/a"));
  }

  @Test
  void S02_aListingFromBeforeAnExportDoesNotUndoIt() {
    imported();
    afterListing(
        () -> {
          fixture.write("/x/a", "mine");
          assertExported("/x");
        });
    assertEquals("mine", fixture.read("/x/a"));
    assertInStep("mine", List.of());
  }

  @Test
  void S08_aListingFromBeforeADeleteDoesNotBringTheFileBack() {
    imported();
    afterListing(
        () -> {
          fixture.unlink("/x/a");
          assertExported("/x");
          assertEquals(List.of(), fixture.keys());
        });
    assertEquals(List.of(), fixture.names("/x"));
  }

  /** An import whose listing is older than what this does. */
  private void afterListing(Runnable change) {
    var once = new AtomicBoolean();
    fixture.bucket.made =
        request -> {
          if (request.startsWith("list") && !once.getAndSet(true)) {
            change.run();
          }
        };
    fixture.run(TaskKind.TASK_IMPORT, "/x");
    assertTrue(once.get());
  }

  @Test
  void S08_aDeleteThatWaitsSparesTheFileThatHasTheNameSince() throws InterruptedException {
    imported();
    fixture.bucket.conditions.set(false);
    var deleting = new CountDownLatch(1);
    var put = new CountDownLatch(1);
    var overtaken = new AtomicBoolean();
    fixture.bucket.before =
        request -> {
          if (request.equals("delete a")) {
            deleting.countDown();
            overtaken.set(await(put));
          }
        };
    fixture.bucket.afterPut = put::countDown;
    fixture.unlink("/x/a");
    fixture.engine.wake(1);
    assertTrue(deleting.await(WAIT_MS, TimeUnit.MILLISECONDS));
    fixture.write("/x/new", "mine");
    fixture.rename("/x/new", "/x/a");
    fixture.engine.wake(1);
    assertInStep("mine", List.of());
    assertFalse(overtaken.get(), "uploaded while the delete of its key was on the way");
  }

  @Test
  void S08_aFileDeletedDuringItsFirstUploadLeavesNoObject() throws InterruptedException {
    fixture.exporting("/x", "");
    var deleted = new CountDownLatch(1);
    fixture.bucket.afterPut =
        () -> {
          fixture.unlink("/x/a");
          deleted.countDown();
        };
    fixture.write("/x/a", "mine");
    assertTrue(deleted.await(WAIT_MS, TimeUnit.MILLISECONDS));
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(WAIT_MS);
    while (!fixture.keys().isEmpty()) {
      assertTrue(System.nanoTime() < end, "its object stays");
      Thread.onSpinWait();
    }
  }

  @Test
  void whatAKilledProbeLeftIsNoFile() {
    fixture.object(".millrace-probe-1", "x");
    fixture.object("d/.millrace-probe-2", "x");
    fixture.object("d/a", "a");
    fixture.exporting("/x", "");
    fixture.run(TaskKind.TASK_IMPORT, "/x");
    assertEquals(List.of("d"), fixture.names("/x"));
    assertEquals(List.of("a"), fixture.names("/x/d"));
  }

  /** For a while: what is awaited may be what must not happen. */
  private static boolean await(CountDownLatch latch) {
    try {
      return latch.await(500, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  @Test
  void S09_anObjectOnItsWayToAnotherNameIsNoConflict() throws InterruptedException {
    fixture.exporting("/x", "");
    fixture.write("/x/new", "first");
    assertExported("/x");
    refusing("copy a", 1);
    fixture.rename("/x/new", "/x/a");
    fixture.write("/x/new", "second");
    var tried = refusing("copy a", 2);
    fixture.engine.wake(1);
    assertTrue(tried.await(WAIT_MS, TimeUnit.MILLISECONDS));
    assertEquals("first", fixture.objectText("new"));
    fixture.bucket.before = request -> {};
    assertInStep("first", List.of());
    assertEquals("second", fixture.objectText("new"));
    assertEquals(List.of("a", "new"), fixture.keys());
  }
}
