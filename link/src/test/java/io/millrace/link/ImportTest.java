package io.millrace.link;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.proto.Inode;
import io.millrace.proto.LinkRecord;
import io.millrace.proto.OnConflict;
import io.millrace.proto.TaskKind;
import io.millrace.proto.TaskRecord;
import io.millrace.proto.TaskState;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImportTest {
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

  private TaskRecord imported(String path) {
    return fixture.run(TaskKind.TASK_IMPORT, path);
  }

  private static TaskRecord.Builder deleting(String path) {
    return TaskRecord.newBuilder()
        .setKind(TaskKind.TASK_IMPORT)
        .setPath(LinkFixture.bytes(path))
        .setDeleteMissing(true);
  }

  @Test
  void S01_newObjectsBecomeEntriesWithTheLinksDefaults() {
    fixture.object("p/a.txt", "hello");
    fixture.object("p/d/e/f.bin", "deep");
    fixture.object("other", "not ours");
    LinkRecord link = fixture.link("/x/y", "p");

    TaskRecord task = imported("/x/y");

    assertEquals(TaskState.TASK_DONE, task.getState(), task.toString());
    assertEquals(2, task.getFilesDone());
    Inode file = fixture.at("/x/y/a.txt");
    assertEquals(5, file.getSize());
    assertEquals(0100644, file.getMode());
    assertEquals(0040755, fixture.at("/x/y/d/e").getMode());
    assertEquals(link.getId(), file.getLink());
    assertEquals("hello", fixture.read("/x/y/a.txt"));
    assertEquals("deep", fixture.read("/x/y/d/e/f.bin"));
    assertEquals(List.of("a.txt", "d"), fixture.names("/x/y"));
  }

  @Test
  void S02_importingAgainWritesNothing() {
    for (int i = 0; i < 3000; i++) {
      fixture.object("d" + i % 7 + "/f" + i, "x");
    }
    fixture.link("/x", "");
    imported("/x");
    fixture.bucket.forgetRequests();
    var batches = fixture.notices.size();

    TaskRecord again = imported("/x");

    assertEquals(3000, again.getFilesSkipped(), again.toString());
    assertEquals(0, again.getFilesDone());
    assertEquals(3, fixture.bucket.count("list"), "one LIST pass");
    assertEquals(3, fixture.bucket.requests.size(), "and nothing else");
    assertEquals(batches, fixture.notices.size());
  }

  @Test
  void S03_changedObjectIsANewInodeUnderTheSameName() {
    fixture.object("a", "one");
    fixture.link("/x", "");
    imported("/x");
    Inode before = fixture.at("/x/a");
    assertEquals("one", fixture.read("/x/a"));
    fixture.object("a", "second");

    TaskRecord task = imported("/x");

    assertEquals(1, task.getFilesDone(), task.toString());
    Inode after = fixture.at("/x/a");
    assertNotEquals(before.getIno(), after.getIno());
    assertEquals("second", fixture.read("/x/a"));
    assertEquals(
        "one", new String(fixture.readBytes(before), java.nio.charset.StandardCharsets.UTF_8));
    assertTrue(fixture.notices.stream().anyMatch(n -> n.getIno() == before.getIno()));
  }

  @Test
  void S04_keepBothSavesTheBucketsVersionFirst() {
    conflict(OnConflict.KEEP_BOTH);

    TaskRecord task = imported("/x");

    assertEquals("mine", fixture.read("/x/a"));
    String beside =
        fixture.names("/x").stream()
            .filter(n -> n.startsWith("a.conflict-"))
            .findFirst()
            .orElseThrow();
    assertEquals("theirs", fixture.read("/x/" + beside));
    assertEquals("theirs", fixture.objectText(beside));
    assertEquals("CONFLICT", task.getFailures(0).getCode());
    assertEquals("conflict", fixture.state("/x/" + beside));
    assertEquals(TaskState.TASK_DONE, fixture.run(TaskKind.TASK_EXPORT, "/x").getState());
    assertEquals("mine", fixture.objectText("a"));
    assertEquals("theirs", fixture.objectText(beside));
    assertEquals(2, imported("/x").getFilesSkipped());
  }

  @Test
  void S04_bucketWins() {
    conflict(OnConflict.BUCKET_WINS);
    imported("/x");
    assertEquals("theirs", fixture.read("/x/a"));
    fixture.run(TaskKind.TASK_EXPORT, "/x");
    assertEquals("theirs", fixture.objectText("a"));
  }

  @Test
  void S04_localWinsAtTheNextExport() {
    conflict(OnConflict.LOCAL_WINS);
    imported("/x");
    assertEquals("theirs", fixture.objectText("a"));
    TaskRecord export = fixture.run(TaskKind.TASK_EXPORT, "/x");
    assertEquals(TaskState.TASK_DONE, export.getState(), export.toString());
    assertEquals("mine", fixture.objectText("a"));
    assertEquals(List.of("a"), fixture.keys());
  }

  @Test
  void S04_failChangesNothing() {
    conflict(OnConflict.FAIL);
    TaskRecord task = imported("/x");
    assertEquals(TaskState.TASK_FAILED, task.getState());
    assertEquals("CONFLICT", task.getFailures(0).getCode());
    assertEquals("mine", fixture.read("/x/a"));
    TaskRecord export = fixture.run(TaskKind.TASK_EXPORT, "/x");
    assertEquals(TaskState.TASK_FAILED, export.getState());
    assertEquals("theirs", fixture.objectText("a"));
  }

  private void conflict(OnConflict policy) {
    fixture.object("a", "base");
    fixture.link(
        LinkRecord.newBuilder()
            .setPath(LinkFixture.bytes("/x"))
            .setQuietMs(1)
            .setOnConflict(policy));
    imported("/x");
    fixture.write("/x/a", "mine");
    fixture.object("a", "theirs");
  }

  @Test
  void S06_missingObjectsGoOnlyWithDelete() {
    fixture.object("a", "1");
    fixture.object("d/b", "2");
    fixture.object("d/c", "3");
    fixture.object("e/f/g", "4");
    fixture.link("/x", "");
    imported("/x");
    fixture.bucket.inner.delete("a", io.millrace.core.api.Bucket.Condition.ALWAYS);
    fixture.bucket.inner.delete("d/c", io.millrace.core.api.Bucket.Condition.ALWAYS);
    fixture.bucket.inner.delete("e/f/g", io.millrace.core.api.Bucket.Condition.ALWAYS);

    imported("/x");
    assertEquals(List.of("a", "d", "e"), fixture.names("/x"));

    fixture.run(deleting("/x"));
    assertEquals(List.of("d"), fixture.names("/x"));
    assertEquals(List.of("b"), fixture.names("/x/d"));
    assertEquals(0, fixture.namespace.pendingChanges(fixture.at("/x").getLink()));
    fixture.object("a", "again");
    imported("/x");
    assertEquals("again", fixture.read("/x/a"));
  }

  @Test
  void S07_locallyChangedStaysWhenItsObjectIsDeleted() {
    fixture.object("a", "1");
    fixture.link(LinkRecord.newBuilder().setPath(LinkFixture.bytes("/x")).setQuietMs(1));
    imported("/x");
    fixture.write("/x/a", "mine");
    fixture.write("/x/new", "never exported");
    fixture.bucket.inner.delete("a", io.millrace.core.api.Bucket.Condition.ALWAYS);
    fixture.run(deleting("/x"));
    assertEquals("mine", fixture.read("/x/a"));
    assertEquals("never exported", fixture.read("/x/new"));
    fixture.run(TaskKind.TASK_EXPORT, "/x");
    assertEquals("mine", fixture.objectText("a"));
  }

  @Test
  void S08_deletedHereIsNotBroughtBack() {
    fixture.object("a", "1");
    fixture.object("b", "2");
    fixture.link("/x", "");
    imported("/x");
    fixture.unlink("/x/a");
    imported("/x");
    assertEquals(List.of("b"), fixture.names("/x"));
    fixture.run(TaskKind.TASK_EXPORT, "/x");
    assertEquals(List.of("a", "b"), fixture.keys(), "without the policy the object stays");
    imported("/x");
    assertEquals(List.of("b"), fixture.names("/x"));
    fixture.run(
        TaskRecord.newBuilder()
            .setKind(TaskKind.TASK_IMPORT)
            .setPath(LinkFixture.bytes("/x"))
            .setRestoreDeleted(true));
    assertEquals(List.of("a", "b"), fixture.names("/x"));
  }

  @Test
  void S10_directoryObjectsAreDirectories() {
    fixture.object("empty/", "");
    fixture.object("full/", "");
    fixture.object("full/a", "1");
    fixture.link("/x", "");
    TaskRecord task = imported("/x");
    assertEquals(List.of("empty", "full"), fixture.names("/x"));
    assertEquals(List.of("a"), fixture.names("/x/full"));
    assertEquals(1, task.getFilesDone());
  }

  @Test
  void S11_directoryWinsOverAFileOfItsName() {
    fixture.object("a", "file");
    fixture.object("a-b", "between");
    fixture.object("a.txt", "between too");
    fixture.object("a/b", "inside");
    fixture.link(LinkRecord.newBuilder().setPath(LinkFixture.bytes("/x")).setQuietMs(1));
    TaskRecord task = imported("/x");
    assertEquals(TaskState.TASK_DONE, task.getState(), task.toString());
    assertEquals(List.of("a", "a-b", "a.__object__", "a.txt"), fixture.names("/x"));
    assertEquals("file", fixture.read("/x/a.__object__"));
    assertEquals("inside", fixture.read("/x/a/b"));
    assertEquals("SHOWN_AS", task.getFailures(0).getCode());
    assertEquals(4, imported("/x").getFilesSkipped());
    fixture.write("/x/a.__object__", "FILE");
    fixture.run(TaskKind.TASK_EXPORT, "/x");
    assertEquals("FILE", fixture.objectText("a"));
    assertEquals(List.of("a", "a-b", "a.txt", "a/b"), fixture.keys());
  }

  @Test
  void S11_fileGivesWayToADirectoryThatCameLater() {
    fixture.object("a", "file");
    fixture.link("/x", "");
    imported("/x");
    fixture.object("a/b", "inside");
    imported("/x");
    assertEquals(List.of("a", "a.__object__"), fixture.names("/x"));
    assertEquals("file", fixture.read("/x/a.__object__"));
    assertEquals("inside", fixture.read("/x/a/b"));
  }

  @Test
  void S12_keysThatNoPathCanHoldGetARowEach() {
    fixture.object("ok", "1");
    fixture.object("a//b", "1");
    fixture.object("./c", "1");
    fixture.object("d/../e", "1");
    fixture.object("n" + "x".repeat(255), "1");
    fixture.object("nul\0", "1");
    fixture.object("d/ümläut-\u6f22", "1");
    fixture.link("/x", "");
    TaskRecord task = imported("/x");
    assertEquals(TaskState.TASK_FAILED, task.getState());
    assertEquals(5, task.getFilesFailed());
    assertEquals(
        List.of("DOT_PART", "DOT_PART", "EMPTY_PART", "NAME_TOO_LONG", "NUL_IN_KEY"),
        task.getFailuresList().stream().map(f -> f.getCode()).sorted().toList());
    assertEquals(List.of("d", "ok"), fixture.names("/x"));
    assertEquals(List.of("ümläut-\u6f22"), fixture.names("/x/d"));
  }

  @Test
  void S23_autoImportFollowsTheBucket() throws InterruptedException {
    fixture.link(LinkRecord.newBuilder().setPath(LinkFixture.bytes("/x")).setAutoImportSeconds(1));
    fixture.object("late", "1");
    long end = System.nanoTime() + 20_000_000_000L;
    while (!fixture.exists("/x/late") && System.nanoTime() < end) {
      Thread.sleep(20);
    }
    assertTrue(fixture.exists("/x/late"));
    fixture.bucket.inner.delete("late", io.millrace.core.api.Bucket.Condition.ALWAYS);
    while (fixture.exists("/x/late") && System.nanoTime() < end) {
      Thread.sleep(20);
    }
    assertFalse(fixture.exists("/x/late"));
    assertEquals(1, fixture.namespace.tasks().size());
  }

  @Test
  void S24_importGoesOnAfterARestart() {
    for (int i = 0; i < 5000; i++) {
      fixture.object("d" + i % 3 + "/f" + i, "x");
    }
    fixture.config = LinkFixture.CONFIG.withBatch(500);
    fixture.link("/x", "");
    long id =
        fixture.start(
            TaskRecord.newBuilder().setKind(TaskKind.TASK_IMPORT).setPath(LinkFixture.bytes("/x")));
    fixture.restart();
    TaskRecord task = fixture.finished(id);
    assertEquals(TaskState.TASK_DONE, task.getState());
    int files =
        List.of("d0", "d1", "d2").stream()
            .collect(Collectors.summingInt(d -> fixture.names("/x/" + d).size()));
    assertEquals(5000, files);
  }

  @Test
  void S25_importWaitsForABucketThatIsAway() {
    fixture.object("a", "1");
    fixture.link("/x", "");
    fixture.bucket.away.set(true);
    long id =
        fixture.start(
            TaskRecord.newBuilder().setKind(TaskKind.TASK_IMPORT).setPath(LinkFixture.bytes("/x")));
    while (fixture.bucket.count("list") < 4) {
      Thread.onSpinWait();
    }
    assertEquals(TaskState.TASK_RUNNING, fixture.task(id, 0).getState());
    fixture.bucket.away.set(false);
    assertEquals(TaskState.TASK_DONE, fixture.finished(id).getState());
    assertTrue(fixture.exists("/x/a"));
  }

  @Test
  void importOfASubtreeLooksAtItsPrefixOnly() {
    fixture.object("p/a/1", "1");
    fixture.object("p/b/2", "2");
    fixture.link("/x", "p/");
    imported("/x");
    fixture.object("p/a/3", "3");
    fixture.object("p/b/4", "4");
    imported("/x/a");
    assertEquals(List.of("1", "3"), fixture.names("/x/a"));
    assertEquals(List.of("2"), fixture.names("/x/b"));
  }

  @Test
  void orderOfNamesAndOfListingsDiffer() {
    String[] keys = {
      "a-b/1", "a/1", "a/2/3", "a0", "a.b", "a-b-c/1", "a!", "b/1", "b-/x", "b-/y/z"
    };
    for (String key : keys) {
      fixture.object(key, key);
    }
    fixture.link("/x", "");
    imported("/x");
    TaskRecord again = fixture.run(deleting("/x"));
    assertEquals(keys.length, again.getFilesSkipped());
    for (String key : keys) {
      assertArrayEquals(
          key.getBytes(java.nio.charset.StandardCharsets.UTF_8),
          fixture.readBytes(fixture.at("/x/" + key)));
    }
  }
}
