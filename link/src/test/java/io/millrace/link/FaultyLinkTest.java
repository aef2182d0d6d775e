package io.millrace.link;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.buckets.Faults;
import io.millrace.buckets.FaultyBucket;
import io.millrace.buckets.MemoryBucket;
import io.millrace.buckets.Sleeper;
import io.millrace.proto.TaskKind;
import io.millrace.proto.TaskRecord;
import io.millrace.proto.TaskState;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A whole life of a link on a store that loses requests and replies, and refuses in bursts. */
class FaultyLinkTest {
  @TempDir Path directory;

  @Test
  void H20_S25_nothingIsLostOrDoubledOnABadStore() {
    long seed = Long.getLong("seed", System.nanoTime());
    var store = new MemoryBucket("lake", Clock.systemUTC());
    var faulty = new FaultyBucket(store, Faults.healing(0.05), new Random(seed), Sleeper.REAL);
    try (var fixture = new LinkFixture(directory, store)) {
      Map<String, String> files = new TreeMap<>();
      for (int i = 0; i < 60; i++) {
        fixture.object("in/f" + i, "imported " + i);
        files.put("in/f" + i, "imported " + i);
      }
      fixture.exporting("/x", "");
      var bad = new WatchedBucket(faulty);
      fixture.opener = link -> bad;
      fixture.engine.close();
      fixture.startEngine();

      assertEquals(60, fixture.run(TaskKind.TASK_IMPORT, "/x").getFilesDone());
      TaskRecord preload = fixture.run(TaskKind.TASK_PRELOAD, "/x");
      assertEquals(TaskState.TASK_DONE, preload.getState(), preload.toString());
      fixture.mkdir("/x/out");
      for (int i = 0; i < 60; i++) {
        fixture.write("/x/out/f" + i, "written " + i);
        files.put("out/f" + i, "written " + i);
      }
      for (int i = 0; i < 20; i++) {
        fixture.write("/x/in/f" + i, "IMPORTED");
        files.put("in/f" + i, ("IMPORTED " + i));
        fixture.rename("/x/in/f" + (20 + i), "/x/out/r" + i);
        files.put("out/r" + i, files.remove("in/f" + (20 + i)));
        fixture.unlink("/x/in/f" + (40 + i));
        files.remove("in/f" + (40 + i));
      }
      assertTrue(fixture.exported("/x", 30_000));
      var found = new TreeMap<String, String>();
      fixture.keys().forEach(key -> found.put(key, fixture.objectText(key)));
      var differing = new TreeMap<String, String>();
      found.remove("out/"); // made where the export found the directory before its files (S10)
      found.forEach((key, text) -> differing.put(key, text));
      files.forEach((key, text) -> differing.merge(key, text, (a, b) -> a.equals(b) ? null : a));
      assertEquals(Map.of(), differing, "keys that only one side has, or with other content");
      assertTrue(faulty.injected() > 20, "a test without faults shows nothing");
      assertEquals(files.size(), fixture.run(TaskKind.TASK_IMPORT, "/x").getFilesSkipped());
      files.forEach((key, text) -> assertEquals(text, fixture.read("/x/" + key)));
    } catch (RuntimeException | Error e) {
      throw new AssertionError("replay with -Dseed=" + seed, e);
    }
  }
}
