package io.millrace.meta;

import static io.millrace.meta.NamespaceFixture.ROOT;
import static io.millrace.meta.NamespaceFixture.bytes;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.proto.Inode;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** kill -9 of a process in the midst of commands loses nothing that was acknowledged. */
@Tag("crash")
class CrashTest {
  private static final int ROUNDS = 4;
  private static final int LINES_MAX = 4000;
  @TempDir Path directory;

  /** The child: creates and renames without end, and says what was acknowledged. */
  static final class Child {
    private Child() {}

    public static void main(String[] args) {
      try (var fs = new NamespaceFixture(Path.of(args[0]))) {
        for (int i = Integer.parseInt(args[1]); ; i++) {
          fs.file(ROOT, "t" + i);
          fs.ok(fs.renaming(ROOT, "t" + i, ROOT, "f" + i, 0));
          System.out.println(i);
          System.out.flush();
        }
      }
    }
  }

  @Test
  void acknowledgedCommandsSurviveKill() throws IOException, InterruptedException {
    long seed = Long.getLong("seed", System.nanoTime());
    var random = new SplittableRandom(seed);
    Path meta = directory.resolve("meta");
    int acknowledged = -1;
    for (int round = 0; round < ROUNDS; round++) {
      acknowledged = runAndKill(meta, acknowledged + 1000, random.nextInt(1, LINES_MAX));
      try (var fs = new NamespaceFixture(meta)) {
        assertTrue(fs.exists("/f" + acknowledged), "replay with -Dseed=" + seed);
        List<String> names = fs.names(ROOT);
        assertEquals(names.size(), fs.inode(ROOT).getChildren());
        assertEquals(names.size() + 1, fs.namespace.inodes());
        for (String name : names) {
          Inode inode = fs.namespace.lookup(ROOT, bytes(name)).orElseThrow();
          assertEquals(inode, fs.inode(inode.getIno()));
        }
        assertTrue(names.stream().filter(name -> name.startsWith("t")).count() <= round + 1);
      }
    }
  }

  private int runAndKill(Path meta, int first, int lines) throws IOException, InterruptedException {
    Process child =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx128m",
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-cp",
                System.getProperty("java.class.path"),
                Child.class.getName(),
                meta.toString(),
                Integer.toString(first))
            .redirectError(directory.resolve("child.err").toFile())
            .start();
    int last = -1;
    try (BufferedReader out = child.inputReader(StandardCharsets.UTF_8)) {
      for (int i = 0; i < lines; i++) {
        String line = out.readLine();
        assertTrue(line != null, () -> "child ended: " + errors());
        last = Integer.parseInt(line);
      }
      child.toHandle().destroyForcibly(); // unlike the process's own, leaves the pipe open
      for (String line = out.readLine(); line != null; line = out.readLine()) {
        last = line.isEmpty() ? last : Math.max(last, Integer.parseInt(line));
      }
    } finally {
      child.destroyForcibly().waitFor(30, TimeUnit.SECONDS);
    }
    return last;
  }

  private String errors() {
    try {
      return Files.readString(directory.resolve("child.err"));
    } catch (IOException e) {
      return e.toString();
    }
  }
}
