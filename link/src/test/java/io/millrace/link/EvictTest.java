package io.millrace.link;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.millrace.core.api.Bucket;
import io.millrace.proto.LinkRecord;
import io.millrace.proto.TaskKind;
import io.millrace.proto.TaskRecord;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EvictTest {
  @TempDir Path directory;
  LinkFixture fixture;

  @BeforeEach
  void open() {
    fixture = new LinkFixture(directory);
    for (int i = 0; i < 30; i++) {
      fixture.object("f" + (10 + i), "body");
    }
    fixture.link(LinkRecord.newBuilder().setPath(LinkFixture.bytes("/x")).setQuietMs(1));
    fixture.run(TaskKind.TASK_IMPORT, "/x");
    fixture.run(TaskKind.TASK_PRELOAD, "/x");
    fixture.bucket.forgetRequests();
  }

  @AfterEach
  void close() {
    fixture.close();
  }

  private static List<String> codes(TaskRecord task) {
    return task.getFailuresList().stream().map(f -> f.getCode()).sorted().toList();
  }

  @Test
  void S20_onlyWhatTheBucketStillHasIsReleased() {
    fixture.bucket.inner.delete("f11", Bucket.Condition.ALWAYS);
    fixture.object("f12", "other");
    fixture.write("/x/f13", "mine");
    fixture.open.add(fixture.at("/x/f14").getIno());

    TaskRecord task = fixture.run(TaskKind.TASK_EVICT, "/x");

    assertEquals(26, task.getFilesDone(), task.toString());
    assertEquals(26 * 4, task.getBytesDone());
    assertEquals(List.of("IN_USE", "NOT_EXPORTED", "OBJECT_CHANGED", "OBJECT_GONE"), codes(task));
    assertEquals("cold", fixture.state("/x/f10"));
    assertEquals("cached", fixture.state("/x/f11"));
    assertEquals("body", fixture.read("/x/f11"));
    assertEquals("mine", fixture.read("/x/f13"));
    assertEquals("body", fixture.read("/x/f20"));
    assertEquals(1, fixture.bucket.count("list"), "one page verifies many");
    assertEquals(1, fixture.bucket.count("head"), "and the one that it lacked");
  }

  @Test
  void H12_heldLeasesAndLateReadsCountAsUse() {
    long now = System.currentTimeMillis() / 1000;
    fixture.store.usedAt(fixture.at("/x/f10").getIno(), now - 10);
    fixture.open.add(fixture.at("/x/f11").getIno());
    TaskRecord task =
        fixture.run(
            TaskRecord.newBuilder()
                .setKind(TaskKind.TASK_EVICT)
                .setPath(LinkFixture.bytes("/x"))
                .setOlderThanSeconds(3600));
    assertEquals(28, task.getFilesDone());
    assertEquals("cached", fixture.state("/x/f10"));
    assertEquals("cached", fixture.state("/x/f11"));
    assertEquals("cold", fixture.state("/x/f12"));
  }

  @Test
  void S20_linksReleaseByThemselvesAfterTheirTime() throws InterruptedException {
    fixture.set("/x", LinkRecord.newBuilder().setEvictAfterSeconds(60), "evict_after_seconds");
    long end = System.nanoTime() + 15_000_000_000L;
    while (!fixture.state("/x/f39").equals("cold") && System.nanoTime() < end) {
      Thread.sleep(10);
    }
    assertEquals("cold", fixture.state("/x/f39"));
  }

  @Test
  void dryRunReleasesNothing() {
    TaskRecord task =
        fixture.run(
            TaskRecord.newBuilder()
                .setKind(TaskKind.TASK_EVICT)
                .setPath(LinkFixture.bytes("/x"))
                .setDryRun(true));
    assertEquals(30, task.getFilesDone());
    assertEquals("cached", fixture.state("/x/f10"));
  }
}
