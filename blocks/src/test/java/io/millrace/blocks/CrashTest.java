package io.millrace.blocks;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.core.api.BlockId;
import io.millrace.core.api.BlockStore.Kind;
import io.millrace.core.api.Pinned;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A child process writes, drops and compacts, and says on its output what was acknowledged; it is
 * killed at any moment. All it acknowledged is there, nothing it dropped is, no block is half.
 */
@Tag("crash")
@Timeout(value = 240, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class CrashTest {
  private static final int ROUNDS = 12;
  private static final long CAPACITY = 512 << 20;

  @TempDir(factory = InMemory.class)
  Path top;

  private final long seed = Long.getLong("seed", System.nanoTime());
  private final SplittableRandom random = new SplittableRandom(seed);
  private final Map<BlockId, Integer> acknowledged = new HashMap<>();
  private final Set<BlockId> dropped = new HashSet<>();

  @Test
  void H13_whatWasAcknowledgedSurvivesKill9() throws Exception {
    for (int round = 0; round < ROUNDS; round++) {
      runChildAndKill(round);
      check();
    }
    assertTrue(acknowledged.size() > 100, "hardly anything was written");
  }

  private void runChildAndKill(int round) throws IOException, InterruptedException {
    Process child =
        new ProcessBuilder(
                ProcessHandle.current().info().command().orElseThrow(),
                "-Xmx128m",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                Writer.class.getName(),
                top.resolve("d").toString(),
                Integer.toString(round + 1),
                Long.toString(seed + round))
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try (var lines =
        new BufferedReader(
            new InputStreamReader(child.getInputStream(), StandardCharsets.US_ASCII))) {
      int stopAfter = 50 + random.nextInt(600);
      String line;
      for (int seen = 0; (line = lines.readLine()) != null; seen++) {
        note(line);
        if (seen == stopAfter) {
          child.toHandle().destroyForcibly(); // leaves the pipe to be read to its end
        }
      }
    } finally {
      child.destroyForcibly().waitFor();
    }
  }

  /** Lines: "+ index length" stored, "? index" about to drop, "- index" dropped; version first. */
  private void note(String line) {
    String[] words = line.split(" ", -1);
    if (words.length != 4) {
      return; // cut off by the kill
    }
    var id = new BlockId(1, Long.parseLong(words[1]), Integer.parseInt(words[2]));
    switch (words[0]) {
      case "+" -> acknowledged.put(id, Integer.parseInt(words[3]));
      case "?" -> acknowledged.remove(id);
      case "-" -> dropped.add(id);
      default -> throw new AssertionError(line);
    }
  }

  private void check() {
    try (var store = Writer.open(top.resolve("d"))) {
      for (var entry : acknowledged.entrySet()) {
        BlockId id = entry.getKey();
        try (Pinned read = store.read(id, 0, entry.getValue()).orElseThrow()) {
          Bytes.check(id, 0, read.bytes());
        }
      }
      for (BlockId id : dropped) {
        assertTrue(store.read(id, 0, 1).isEmpty(), "came back: " + id);
      }
      long[] count = {0};
      store.forEach(
          id -> {
            count[0]++;
            store.read(id, 0, 1).orElseThrow().close();
          });
      assertEquals(count[0], store.usage().blocks());
      assertEquals(0, store.counters().damagedBlocks());
    } catch (RuntimeException | AssertionError failure) {
      throw new AssertionError("replay with -Dseed=" + seed, failure);
    }
  }

  /** The child. */
  static final class Writer {
    private Writer() {}

    static DiskBlockStore open(Path directory) {
      return new DiskBlockStore(
          StoreFixture.config(directory, CAPACITY, 1 << 20), InstantSource.system());
    }

    public static void main(String[] arguments) {
      long version = Long.parseLong(arguments[1]);
      var random = new SplittableRandom(Long.parseLong(arguments[2]));
      var store = open(Path.of(arguments[0]));
      Thread.ofPlatform()
          .daemon()
          .start(
              () -> {
                while (true) {
                  store.tidy();
                  LockSupport.parkNanos(1_000_000);
                }
              });
      for (int index = 0; index < 100_000; index++) {
        var id = new BlockId(1, version, index);
        int length = 1 + random.nextInt(random.nextInt(8) == 0 ? 200_000 : 40_000);
        if (random.nextInt(3) > 0) {
          Bytes.put(store, id, length, Kind.DIRTY).close();
          say("+ " + version + " " + index + " " + length);
        } else {
          putClean(store, id, length, random.nextInt(4) == 0);
        }
        if (random.nextInt(2) == 0) {
          var gone = new BlockId(1, version, random.nextInt(index + 1));
          say("? " + version + " " + gone.index() + " 0");
          store.drop(List.of(gone));
          say("- " + version + " " + gone.index() + " 0");
        }
      }
      store.close();
    }

    /** May be lost, unless it becomes dirty: then as any dirty block. */
    private static void putClean(DiskBlockStore store, BlockId id, int length, boolean thenDirty) {
      Bytes.put(store, id, length, Kind.CLEAN).close();
      if (thenDirty) {
        store.setKind(List.of(id), Kind.DIRTY);
        say("+ " + id.version() + " " + id.index() + " " + length);
      }
    }

    private static void say(String line) {
      System.out.println(line);
      System.out.flush();
    }
  }
}
