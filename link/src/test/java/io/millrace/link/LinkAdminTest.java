package io.millrace.link;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.proto.AdminReply;
import io.millrace.proto.AdminRequest;
import io.millrace.proto.LinkRecord;
import io.millrace.proto.LinkRemove;
import io.millrace.proto.LinkShow;
import io.millrace.proto.StateQuery;
import io.millrace.proto.TaskKind;
import io.millrace.proto.TaskRecord;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LinkAdminTest {
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

  private static FsException refused(Errno errno, Runnable request) {
    var failure = assertThrows(FsException.class, request::run);
    assertEquals(errno, failure.errno(), failure.getMessage());
    return failure;
  }

  private AdminReply remove(String path, boolean keep, boolean force) {
    return fixture.admin(
        AdminRequest.newBuilder()
            .setLinkRemove(
                LinkRemove.newBuilder()
                    .setPath(LinkFixture.bytes(path))
                    .setKeepData(keep)
                    .setForce(force)));
  }

  @Test
  void addMakesTheDirectoryAndSaysWhatItFound() {
    LinkRecord link = fixture.link("//a//b/", "/p");
    assertEquals("p/", link.getPrefix());
    assertEquals("/a/b", link.getPath().toStringUtf8());
    assertTrue(link.getConditionalPut() && link.getProbed());
    AdminReply empty =
        fixture.admin(
            AdminRequest.newBuilder()
                .setLinkAdd(LinkRecord.newBuilder().setPath(LinkFixture.bytes("/c"))));
    assertTrue(empty.getNote().contains("0 objects"));
    assertEquals(2, fixture.namespace.links().size());
  }

  @Test
  void addRefusesPlacesThatCanNotBeLinked() {
    fixture.write("/file", "x");
    fixture.mkdir("/full");
    fixture.write("/full/x", "x");
    fixture.link("/a/b", "");
    refused(Errno.ENOTDIR, () -> fixture.link("/file", ""));
    refused(Errno.ENOTEMPTY, () -> fixture.link("/full", ""));
    refused(Errno.EEXIST, () -> fixture.link("/a/b/c", ""));
    refused(Errno.EEXIST, () -> fixture.link("/a", ""));
    refused(Errno.EEXIST, () -> fixture.link("/a/b", ""));
    refused(Errno.EINVAL, () -> fixture.link("/", ""));
    fixture.link("/a/bc", "");
  }

  @Test
  void addTellsWhatIsWrongWithTheBucket() {
    for (Errno errno : List.of(Errno.ENOENT, Errno.EACCES, Errno.ECONNREFUSED)) {
      fixture.opener =
          link -> {
            throw new FsException(errno, "made to fail");
          };
      var failure = assertThrows(FsException.class, () -> fixture.link("/x" + errno, ""));
      assertEquals(errno, failure.errno());
      assertFalse(fixture.exists("/x" + errno), "nothing is left behind");
    }
  }

  @Test
  void pathsOutsideAnyLinkAreRefused() {
    fixture.mkdir("/plain");
    var failure = refused(Errno.EINVAL, () -> fixture.run(TaskKind.TASK_IMPORT, "/plain"));
    assertTrue(failure.getMessage().contains("millrace link add"));
    refused(Errno.ENOENT, () -> fixture.run(TaskKind.TASK_PRELOAD, "/nowhere"));
  }

  @Test
  void setChangesWhatMayChange() {
    fixture.link("/x", "");
    fixture.write("/x/a", "1");
    fixture.set(
        "/x", LinkRecord.newBuilder().setExportNew(true).setQuietMs(1), "export_new", "quiet_ms");
    assertTrue(fixture.exported("/x", 10_000));
    refused(
        Errno.EINVAL, () -> fixture.set("/x", LinkRecord.newBuilder().setPrefix("q/"), "prefix"));
    refused(Errno.ENOENT, () -> fixture.set("/y", LinkRecord.newBuilder(), "uid"));
    AdminReply shown =
        fixture.admin(
            AdminRequest.newBuilder()
                .setLinkShow(LinkShow.newBuilder().setPath(LinkFixture.bytes("/x"))));
    assertTrue(shown.getLinks(0).getLink().getExportNew());
    assertEquals(0, shown.getLinks(0).getPendingChanges());
  }

  @Test
  void S27_removeRefusesWhileSomethingIsDirty() {
    fixture.object("a", "1");
    fixture.link("/x", "");
    fixture.run(TaskKind.TASK_IMPORT, "/x");
    fixture.write("/x/b", "2");
    refused(Errno.EBUSY, () -> remove("/x", false, false));
    remove("/x", false, true);
    assertEquals(List.of(), fixture.names("/x"));
    assertEquals(List.of("a"), fixture.keys(), "the bucket is untouched");
    assertEquals(0, fixture.namespace.links().size());
    fixture.link("/y", "");
  }

  @Test
  void S27_removeWithDeleteExportLeavesTheBucketAlone() {
    fixture.object("d/a", "1");
    fixture.exporting("/x", "");
    fixture.run(TaskKind.TASK_IMPORT, "/x");
    remove("/x", false, false);
    fixture.restart();
    assertEquals(List.of("d/a"), fixture.keys());
    assertEquals(List.of(), fixture.names("/x"));
  }

  @Test
  void S27_keepDataKeepsWhatIsCached() {
    fixture.object("cached", "1");
    fixture.object("cold", "2");
    fixture.link("/x", "");
    fixture.run(TaskKind.TASK_IMPORT, "/x");
    fixture.read("/x/cached");
    AdminReply reply = remove("/x", true, false);
    assertTrue(reply.getNote().startsWith("1 files"));
    assertEquals(List.of("cached"), fixture.names("/x"));
    assertEquals("1", fixture.read("/x/cached"));
    assertEquals(List.of("cached", "cold"), fixture.keys());
  }

  @Test
  void statesOfFilesAndTheirSum() {
    fixture.object("cold", "12345");
    fixture.object("part", "p".repeat(5 << 20));
    fixture.object("cached", "1");
    fixture.link("/x", "");
    fixture.run(TaskKind.TASK_IMPORT, "/x");
    fixture.read("/x/cached");
    fixture
        .engine
        .loader()
        .load(fixture.at("/x/part"), 1, 0, 10, io.millrace.core.api.ContentSource.Urgency.READER)
        .close();
    fixture.write("/x/dirty", "123");
    assertEquals("cold", fixture.state("/x/cold"));
    assertEquals("partial", fixture.state("/x/part"));
    assertEquals("cached", fixture.state("/x/cached"));
    assertEquals("dirty", fixture.state("/x/dirty"));
    AdminReply sum =
        fixture.admin(
            AdminRequest.newBuilder()
                .setState(
                    StateQuery.newBuilder().setPath(LinkFixture.bytes("/x")).setRecursive(true)));
    assertEquals(
        Map.of("cold", 1L, "partial", 1L, "cached", 1L, "dirty", 1L), sum.getSum().getFilesMap());
    assertEquals(5, sum.getSum().getBytesMap().get("cold"));
  }

  @Test
  void tasksAreListedAndUnknownOnesAreNot() {
    fixture.link("/x", "");
    TaskRecord task = fixture.run(TaskKind.TASK_IMPORT, "/x");
    assertEquals(task, fixture.task(task.getId(), 0));
    refused(Errno.ENOENT, () -> fixture.task(99, 0));
  }
}
