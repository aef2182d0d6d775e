package io.millrace.link;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.millrace.buckets.MemoryBucket;
import io.millrace.core.api.BlockId;
import io.millrace.core.api.BlockStore;
import io.millrace.core.api.Bucket;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.proto.Command;
import io.millrace.proto.ContentClass;
import io.millrace.proto.Create;
import io.millrace.proto.Inode;
import io.millrace.proto.LinkRecord;
import io.millrace.proto.SetAttr;
import io.millrace.proto.TaskKind;
import io.millrace.proto.TaskRecord;
import io.millrace.proto.TaskState;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ExportTest {
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
    assertTrue(fixture.exported(path, WAIT_MS), () -> "not exported; " + error());
  }

  private String error() {
    return fixture
        .admin(
            io.millrace.proto.AdminRequest.newBuilder()
                .setLinkList(io.millrace.proto.LinkList.getDefaultInstance()))
        .toString();
  }

  @Test
  void S28_newAndChangedFilesReachTheBucketByThemselves() {
    fixture.exporting("/x", "p/");
    fixture.mkdir("/x/d");
    fixture.write("/x/d/a", "one");
    assertExported("/x");
    assertEquals("one", fixture.objectText("p/d/a"));
    Inode file = fixture.at("/x/d/a");
    assertEquals(ContentClass.CLEAN, file.getContentClass());
    assertEquals(
        BlockStore.Kind.CLEAN,
        fixture.store.kind(new BlockId(file.getIno(), file.getVersion(), 0)).orElseThrow());
    fixture.write("/x/d/a", "two!");
    assertExported("/x/d/a");
    assertEquals("two!", fixture.objectText("p/d/a"));
    assertEquals(0, fixture.namespace.pendingChanges(file.getLink()));
  }

  @Test
  void S15_attributesAreMetadata() {
    fixture.exporting("/x", "");
    Inode file = fixture.write("/x/a", "one");
    SetAttr.Builder attr =
        SetAttr.newBuilder()
            .setIno(file.getIno())
            .setMode(0640)
            .setUid(1000)
            .setGid(1001)
            .setMtimeNs(1234567890123456789L);
    fixture.apply(Command.newBuilder().setSetAttr(attr));
    assertExported("/x");
    Map<String, String> metadata = fixture.bucket.inner.head("a").orElseThrow().metadata();
    assertEquals("0100640", metadata.get("file-permissions"));
    assertEquals("1000", metadata.get("file-owner"));
    assertEquals("1001", metadata.get("file-group"));
    assertEquals("1234567890123456789ns", metadata.get("file-mtime"));
    assertTrue(metadata.get("file-atime").endsWith("ns"));
  }

  @Test
  void S16_S17_metadataOfOthersIsKeptAndAttributesAreACopyInPlace() {
    fixture.bucket.inner.put(
        "a", LinkFixture.segment("one"), Map.of("team", "blue"), "text/x", Bucket.Condition.ALWAYS);
    fixture.exporting("/x", "");
    fixture.run(TaskKind.TASK_IMPORT, "/x");
    fixture.bucket.forgetRequests();
    SetAttr.Builder attr = SetAttr.newBuilder().setIno(fixture.at("/x/a").getIno()).setMode(0600);
    fixture.apply(Command.newBuilder().setSetAttr(attr));
    assertExported("/x");
    assertEquals(0, fixture.bucket.count("put"));
    assertEquals(1, fixture.bucket.count("copy"));
    assertEquals("blue", fixture.bucket.inner.head("a").orElseThrow().metadata().get("team"));
    assertEquals("one", fixture.read("/x/a"));
    fixture.write("/x/a", "two");
    assertExported("/x");
    Bucket.ObjectHead head = fixture.bucket.inner.head("a").orElseThrow();
    assertEquals("blue", head.metadata().get("team"));
    assertEquals("0100600", head.metadata().get("file-permissions"));
    assertEquals("text/x", head.contentType());
  }

  @Test
  void S18_bigFilesGoInPartsAndPiecedOnesBecomeWhole() {
    fixture.exporting("/x", "");
    byte[] content = new byte[21 << 20];
    new Random(5).nextBytes(content);
    Inode file = fixture.create("/x/big");
    fixture.write(file, 0, content);
    assertExported("/x");
    assertEquals(3, fixture.bucket.count("part"));
    assertEquals(0, ((MemoryBucket) fixture.bucket.inner).openUploads());
    assertArrayEquals(content, body("big"));

    byte[] patch = new byte[5 << 20];
    new Random(6).nextBytes(patch);
    System.arraycopy(patch, 0, content, 3 << 20, patch.length);
    fixture.write(fixture.at("/x/big"), 3 << 20, patch);
    assertExported("/x");
    assertArrayEquals(content, body("big"));
    Inode now = fixture.at("/x/big");
    assertEquals(now.getObject().getStream(), now.getVersion());
    assertArrayEquals(content, fixture.readBytes(now));
    assertEquals(0, fixture.store.pinned());
  }

  private byte[] body(String key) {
    long size = fixture.bucket.inner.head(key).orElseThrow().info().size();
    var target = java.lang.foreign.MemorySegment.ofArray(new byte[(int) size]);
    fixture.bucket.inner.get(key, "", 0, target);
    return target.toArray(ValueLayout.JAVA_BYTE);
  }

  @Test
  void S18_partlyChangedImportIsAssembledFromTheBucket() {
    fixture.object("a", "0123456789");
    fixture.exporting("/x", "");
    fixture.run(TaskKind.TASK_IMPORT, "/x");
    fixture.write(fixture.at("/x/a"), 3, "XY".getBytes(StandardCharsets.UTF_8));
    assertExported("/x");
    assertEquals("012XY56789", fixture.objectText("a"));
    assertEquals("012XY56789", fixture.read("/x/a"));
  }

  @Test
  void S19_fileWrittenDuringItsUploadIsUploadedAgain() {
    fixture.exporting("/x", "");
    var once = new AtomicBoolean();
    fixture.bucket.afterPut =
        () -> {
          if (!once.getAndSet(true)) {
            fixture.write("/x/a", "second");
          }
        };
    fixture.write("/x/a", "first!");
    assertExported("/x");
    assertExported("/x"); // what was written after the first wait began
    assertEquals("second", fixture.objectText("a"));
    assertEquals(2, fixture.bucket.count("put"));
  }

  @Test
  void S19_filesBeingWrittenWait() throws InterruptedException {
    fixture.link("/x", ""); // no export yet: the empty file would go before it counts as written
    Inode file = fixture.create("/x/a");
    fixture.writing.add(file.getIno());
    fixture.write(file, 0, "half".getBytes(StandardCharsets.UTF_8));
    LinkRecord.Builder exporting = LinkRecord.newBuilder().setExportNew(true).setQuietMs(1);
    fixture.set("/x", exporting, "export_new", "quiet_ms");
    assertFalse(fixture.exported("/x", 300));
    assertEquals(List.of(), fixture.keys());
    fixture.writing.clear();
    assertExported("/x");
    assertEquals("half", fixture.objectText("a"));
  }

  @Test
  void H20_lostReplyIsKnownAsOurOwnWrite() {
    fixture.exporting("/x", "");
    var once = new AtomicBoolean();
    fixture.bucket.afterPut =
        () -> {
          if (!once.getAndSet(true)) {
            throw new FsException(Errno.ETIMEDOUT, "reply lost");
          }
        };
    fixture.write("/x/a", "mine");
    assertExported("/x");
    assertEquals(List.of("a"), fixture.keys());
    assertEquals("mine", fixture.objectText("a"));
    once.set(false);
    fixture.write("/x/a", "more");
    assertExported("/x");
    assertEquals(List.of("a"), fixture.keys(), "no conflict with ourselves");
    assertEquals("more", fixture.objectText("a"));
  }

  @Test
  void S05_aFileReplacedDuringItsUploadIsNoConflict() throws InterruptedException {
    fixture.exporting("/x", "");
    fixture.write("/x/a", "first");
    var once = new AtomicBoolean();
    var replaced = new CountDownLatch(1);
    fixture.bucket.afterPut =
        () -> {
          if (!once.getAndSet(true)) {
            fixture.write("/x/new", "second");
            fixture.rename("/x/new", "/x/a");
            replaced.countDown();
          }
        };
    assertTrue(replaced.await(WAIT_MS, TimeUnit.MILLISECONDS)); // later changes are not waited for
    assertExported("/x");
    assertEquals(List.of("a"), fixture.keys());
    assertEquals("second", fixture.objectText("a"));
    assertEquals(List.of("a"), fixture.names("/x"));
  }

  @Test
  void S05_exportOverAChangedObjectIsAConflict() {
    for (boolean conditions : new boolean[] {true, false}) {
      String name = conditions ? "with" : "without";
      fixture.bucket.conditions.set(conditions);
      fixture.object(name + "/a", "base");
      fixture.exporting("/" + name, name);
      fixture.run(TaskKind.TASK_IMPORT, "/" + name);
      fixture.object(name + "/a", "theirs");
      fixture.object(name + "/b", "foreign");
      fixture.write("/" + name + "/a", "mine");
      fixture.write("/" + name + "/b", "mine too");
      assertExported("/" + name);
      assertEquals("mine", fixture.objectText(name + "/a"));
      assertEquals("mine too", fixture.objectText(name + "/b"));
      List<String> kept =
          fixture.keys().stream()
              .filter(k -> k.startsWith(name) && k.contains(".conflict-"))
              .toList();
      assertEquals(2, kept.size());
      assertEquals("theirs", fixture.objectText(kept.get(0)));
      assertEquals("foreign", fixture.objectText(kept.get(1)));
      assertEquals("theirs", fixture.read("/" + kept.get(0)));
    }
  }

  @Test
  void S08_deletesReachTheBucketUnlessTheObjectChanged() {
    fixture.object("a", "1");
    fixture.object("b", "2");
    fixture.exporting("/x", "");
    fixture.run(TaskKind.TASK_IMPORT, "/x");
    fixture.object("b", "changed since");
    fixture.unlink("/x/a");
    fixture.unlink("/x/b");
    assertExported("/x");
    assertEquals(List.of("b"), fixture.keys());
    fixture.run(TaskKind.TASK_IMPORT, "/x");
    assertEquals(List.of("b"), fixture.names("/x"));
  }

  @Test
  void S09_renamedFileIsCopiedInTheStore() {
    fixture.object("a", "1");
    fixture.exporting("/x", "");
    fixture.run(TaskKind.TASK_IMPORT, "/x");
    fixture.bucket.forgetRequests();
    fixture.rename("/x/a", "/x/b");
    assertExported("/x");
    assertEquals(List.of("b"), fixture.keys());
    assertEquals(0, fixture.bucket.count("put"));
    assertEquals("1", fixture.read("/x/b"));
    fixture.run(TaskKind.TASK_IMPORT, "/x");
    assertEquals(List.of("b"), fixture.names("/x"));
  }

  @Test
  void S09_renamedBeforeItsFirstExportIsUploadedOnce() {
    fixture.link(LinkRecord.newBuilder().setPath(LinkFixture.bytes("/x")).setQuietMs(1));
    fixture.write("/x/a.tmp", "1");
    fixture.rename("/x/a.tmp", "/x/a");
    fixture.run(TaskKind.TASK_EXPORT, "/x");
    assertEquals(List.of("a"), fixture.keys());
    assertEquals(1, fixture.bucket.count("put"));
  }

  @Test
  void S09_savedByRenameOverTheOldFile() {
    fixture.object("a", "old");
    fixture.exporting("/x", "");
    fixture.run(TaskKind.TASK_IMPORT, "/x");
    fixture.writing.add(fixture.create("/x/.a.tmp").getIno());
    fixture.write("/x/.a.tmp", "new");
    fixture.rename("/x/.a.tmp", "/x/a");
    fixture.writing.clear();
    assertExported("/x");
    assertEquals(List.of("a"), fixture.keys());
    assertEquals("new", fixture.objectText("a"));
  }

  @Test
  void S09_movedDirectoryTakesItsObjectsAlong() {
    for (int i = 0; i < 30; i++) {
      fixture.object("d/s" + i % 2 + "/f" + i, "body" + i);
    }
    fixture.object("d/", "");
    fixture.link(LinkRecord.newBuilder().setPath(LinkFixture.bytes("/x")).setQuietMs(1));
    fixture.run(TaskKind.TASK_IMPORT, "/x");
    fixture.rename("/x/d", "/x/e");
    assertEquals("body7", fixture.read("/x/e/s1/f7"), "still found under its old key (H3)");
    fixture.run(TaskKind.TASK_IMPORT, "/x");
    assertEquals(List.of("e"), fixture.names("/x"), "old keys don't come back");
    TaskRecord task = fixture.run(TaskKind.TASK_EXPORT, "/x");
    assertEquals(TaskState.TASK_DONE, task.getState(), task.toString());
    assertEquals(0, fixture.keys().stream().filter(k -> k.startsWith("d/")).count());
    assertEquals("body8", fixture.objectText("e/s0/f8"));
    assertEquals("body8", fixture.read("/x/e/s0/f8"));
    assertEquals(30, fixture.run(TaskKind.TASK_IMPORT, "/x").getFilesSkipped());
    fixture.object("e/s0/f8", "changed later");
    fixture.run(TaskKind.TASK_IMPORT, "/x");
    assertEquals("changed later", fixture.read("/x/e/s0/f8"));
  }

  @Test
  void S10_S13_emptyDirectoriesAndSymlinksAreObjects() {
    fixture.exporting("/x", "");
    fixture.mkdir("/x/empty");
    Create.Builder link =
        Create.newBuilder()
            .setDir(fixture.at("/x").getIno())
            .setName(LinkFixture.bytes("l"))
            .setMode(0120777)
            .setTarget(LinkFixture.bytes("some/where"));
    fixture.apply(Command.newBuilder().setCreate(link));
    assertExported("/x");
    assertEquals(List.of("empty/", "l"), fixture.keys());
    assertEquals("some/where", fixture.objectText("l"));
    assertEquals(
        "0120777", fixture.bucket.inner.head("l").orElseThrow().metadata().get("file-permissions"));
  }

  @Test
  void aNameThatNoKeyCanHoldIsReported() {
    fixture.link("/x", "");
    fixture.write("/x/a", "1");
    var create =
        Create.newBuilder()
            .setDir(fixture.at("/x").getIno())
            .setName(ByteString.copyFrom(new byte[] {'n', (byte) 0xff}))
            .setMode(0100644);
    fixture.apply(Command.newBuilder().setCreate(create));
    TaskRecord task = fixture.run(TaskKind.TASK_EXPORT, "/x");
    assertEquals(TaskState.TASK_FAILED, task.getState());
    assertEquals(1, task.getFilesFailed());
    assertTrue(task.getFailures(0).toString().contains("not UTF-8"), task.toString());
    assertEquals(List.of("a"), fixture.keys());
  }

  @Test
  void S25_exportWaitsForABucketThatIsAway() {
    fixture.exporting("/x", "");
    fixture.bucket.away.set(true);
    fixture.write("/x/a", "1");
    assertFalse(fixture.exported("/x", 300));
    assertTrue(error().contains("away"), "last_error tells");
    fixture.bucket.away.set(false);
    assertExported("/x");
  }

  @Test
  void withoutAutoExportOnlyTheTaskMovesChanges() {
    fixture.link(LinkRecord.newBuilder().setPath(LinkFixture.bytes("/x")).setQuietMs(1));
    fixture.mkdir("/x/d");
    fixture.write("/x/d/a", "1");
    fixture.write("/x/b", "2");
    assertFalse(fixture.exported("/x", 100));
    assertEquals("dirty", fixture.state("/x/b"));
    TaskRecord part = fixture.run(TaskKind.TASK_EXPORT, "/x/d");
    assertEquals(TaskState.TASK_DONE, part.getState(), part.toString());
    assertEquals(List.of("d/a"), fixture.keys());
    fixture.run(TaskKind.TASK_EXPORT, "/x");
    assertEquals(List.of("b", "d/a"), fixture.keys());
    assertTrue(fixture.exported("/x", 100));
  }

  @Test
  void exportGoesOnAfterARestart() {
    fixture.exporting("/x", "");
    fixture.bucket.away.set(true);
    for (int i = 0; i < 20; i++) {
      fixture.write("/x/f" + i, "body" + i);
    }
    fixture.restart();
    fixture.bucket.away.set(false);
    assertExported("/x");
    assertEquals(20, fixture.keys().size());
  }
}
