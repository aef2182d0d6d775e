package io.millrace.link;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.proto.TaskKind;
import io.millrace.proto.TaskRecord;
import io.millrace.proto.TaskState;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The figure of issue 2: run with {@code -Dmillrace.testJvmArgs=-Xmx192m}. */
@Tag("long")
class ImportRateTest {
  private static final int OBJECTS = 1_000_000;

  @TempDir Path directory;

  @Test
  void millionKeysFitASmallHeap() throws IOException {
    try (var fixture = new LinkFixture(directory, new SyntheticBucket(OBJECTS))) {
      fixture.link("/x", "");
      long begun = System.nanoTime();
      TaskRecord task = imported(fixture);
      double seconds = (System.nanoTime() - begun) / 1e9;
      assertEquals(OBJECTS, task.getFilesDone());
      begun = System.nanoTime();
      TaskRecord again = imported(fixture);
      double secondsAgain = (System.nanoTime() - begun) / 1e9;
      assertEquals(OBJECTS, again.getFilesSkipped());
      System.out.printf(
          "import: %.0f entries/s, again: %.0f entries/s, %.0f bytes/entry on disk, heap max %d MiB%n",
          OBJECTS / seconds,
          OBJECTS / secondsAgain,
          (double) size(directory) / OBJECTS,
          Runtime.getRuntime().maxMemory() >> 20);
      assertTrue(fixture.exists("/x/train/class-00999/sample-00999999.jpeg"));
    }
  }

  private static TaskRecord imported(LinkFixture fixture) {
    long id =
        fixture.start(
            TaskRecord.newBuilder().setKind(TaskKind.TASK_IMPORT).setPath(LinkFixture.bytes("/x")));
    TaskRecord task = fixture.task(id, 0);
    for (int i = 0; i < 6000 && task.getState() == TaskState.TASK_RUNNING; i++) {
      task = fixture.task(id, 100);
    }
    assertEquals(TaskState.TASK_DONE, task.getState(), task.getError());
    return task;
  }

  private static long size(Path directory) throws IOException {
    try (var files = Files.walk(directory)) {
      return files.mapToLong(file -> file.toFile().isFile() ? file.toFile().length() : 0).sum();
    }
  }
}
