package io.millrace.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.cli.CrashCalls.Failed;
import io.millrace.cli.CrashRig.Victim;
import io.millrace.cli.fsck.CheckReport;
import io.millrace.cli.fsck.StoreCheck;
import io.millrace.testkit.s3.PlainS3;
import io.millrace.testkit.s3.S3ProxyServer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * SIGKILL while files of a linked directory are written, exported, imported, loaded and evicted, in
 * a store so small that segments are emptied all the while. After the restart each file has what
 * was acknowledged; at the end the bucket has the same, and the store has nothing else.
 */
@Tag("crash")
class CrashLinkTest {
  /** System calls that may find no room. */
  @FunctionalInterface
  private interface Call {
    void run() throws Failed;
  }

  private static final int KILLS = Integer.getInteger("millrace.kills", 4);
  private static final String BUCKET = "lake";
  private static final String CAPACITY = "--capacity 48MiB";
  private static final List<String> TASKS = List.of("export", "evict", "import", "preload");
  private static final List<Victim> APART = List.of(Victim.NODE, Victim.BOTH, Victim.MOUNT);
  private static final String CONFLICT = ".conflict-";
  private static final int NO_SPACE = 28;
  private static final int FILES = 24;
  private static final int SMALL_MAX = 300_000;
  private static final int LARGE_MAX = 3 << 20;
  private static final long LIMIT_NANOS = TimeUnit.MINUTES.toNanos(2);

  private final long seed = Long.getLong("seed", System.nanoTime());
  private final SplittableRandom random = new SplittableRandom(seed);
  private final CrashCalls calls = new CrashCalls();

  /** What a file may have; null: it may be gone. More than one only while a call is in doubt. */
  private final Map<String, List<byte[]>> files = new TreeMap<>();

  /** Hashes of all that was ever written under a name. */
  private final Map<String, Set<Integer>> older = new TreeMap<>();

  private final Set<String> toImport = new HashSet<>();
  private final List<Integer> unnamed = new ArrayList<>();
  private final List<String> losses = new ArrayList<>();
  private volatile boolean killed;
  private CrashRig rig;
  private PlainS3 bucket;
  private long written;
  private long full;

  @Test
  void linkedFilesSurviveKillsOfUp() throws Exception {
    run(true, KILLS);
  }

  @Test
  void linkedFilesSurviveKillsOfNodeAndMount() throws Exception {
    run(false, KILLS);
  }

  void run(boolean together, int kills) throws Exception {
    List<Victim> victims = together ? List.of(Victim.UP) : APART;
    System.out.println("seed " + seed + " (-Dseed=" + seed + " replays the choices)");
    try (var s3 = S3ProxyServer.start();
        var plain = new PlainS3(s3.endpoint());
        var crashing = new CrashRig(together, CAPACITY)) {
      rig = crashing;
      bucket = plain;
      plain.createBucket(BUCKET);
      rig.startAll();
      var keys = s3.endpoint().writeCredentials(rig.store.resolveSibling("credentials"));
      rig.millrace(
          "link add /l s3://lake --auto-export new,changed,deleted --endpoint "
              + s3.endpoint().uri()
              + " --credentials "
              + keys);
      for (int i = 0; i < kills && losses.isEmpty(); i++) {
        round(i, victims.get(i % victims.size()));
      }
      assertEquals(List.of(), losses, "lost; -Dseed=" + seed);
      checkEnd();
    }
    System.out.println(
        kills
            + " kills, "
            + losses.size()
            + " losses; "
            + written
            + " files written, no room "
            + full
            + " times");
    assertEquals(List.of(), losses, "lost; -Dseed=" + seed);
  }

  private void round(int round, Victim victim) throws Exception {
    byte[] content = bytes(SMALL_MAX);
    bucket.put(BUCKET, "in" + round, content, Map.of());
    files.put("in" + round, List.of(content));
    toImport.add("in" + round);
    withRoom(this::openUnnamed);
    for (int i = random.nextInt(FILES); i > 0; i--) {
      withRoom(this::change);
    }
    rig.millrace(TASKS.get(round % TASKS.size()) + " /l");
    killed = false;
    int delay = random.nextInt(1, 600);
    var failure = new ArrayList<Exception>();
    Thread killer = Thread.ofPlatform().start(() -> kill(victim, delay, failure));
    changeUntilKilled();
    killer.join();
    if (!failure.isEmpty()) {
      throw failure.getFirst();
    }
    restart(victim);
    check();
  }

  private void kill(Victim victim, int delayMillis, List<Exception> failure) {
    try {
      Thread.sleep(delayMillis); // the random moment
      killed = true;
      rig.kill(victim);
      if (victim == Victim.NODE) {
        rig.startNode();
      }
    } catch (IOException | InterruptedException e) {
      failure.add(e);
    }
  }

  private void changeUntilKilled() throws InterruptedException {
    try {
      while (!killed) {
        withRoom(this::change);
      }
    } catch (Failed failed) {
      if (!killed) {
        losses.add("before the kill: " + failed.getMessage());
      }
    }
  }

  private void restart(Victim victim) throws Exception {
    closeUnnamed();
    if (victim == Victim.NODE) {
      return;
    }
    rig.unmount();
    if (victim == Victim.MOUNT) {
      rig.startMount();
    } else {
      look(true).findings().forEach(each -> losses.add("fsck after " + victim + ": " + each));
      rig.startAll();
    }
  }

  private void closeUnnamed() {
    for (int fd : unnamed) {
      try {
        calls.close(fd);
      } catch (Failed dead) {
        // its mount is
      }
    }
    unnamed.clear();
  }

  private String at(String name) {
    return rig.mount.resolve("l").resolve(name).toString();
  }

  private byte[] bytes(int most) {
    byte[] data = new byte[random.nextInt(1, most)];
    random.nextBytes(data);
    return data;
  }

  /** The store is small: what is written faster than it is exported is refused for a while. */
  private void withRoom(Call call) throws Failed, InterruptedException {
    long end = System.nanoTime() + LIMIT_NANOS;
    while (true) {
      try {
        call.run();
        return;
      } catch (Failed refused) {
        if (refused.errno != NO_SPACE || System.nanoTime() > end) {
          throw refused;
        }
        full++;
        Thread.sleep(20); // polls
      }
    }
  }

  private void openUnnamed() throws Failed {
    int open = calls.open(at("unnamed"), CrashCalls.RDWR | CrashCalls.CREAT, 0644);
    unnamed.add(open);
    calls.unlink(at("unnamed"));
    calls.write(open, bytes(LARGE_MAX), 0, false);
  }

  /** A file is replaced, or removed; the call in doubt is the rename, or the unlink. */
  private void change() throws Failed {
    String name = "f" + random.nextInt(FILES);
    List<byte[]> before = files.get(name);
    if (before != null && random.nextInt(5) == 0) {
      files.put(name, Arrays.asList(before.getFirst(), null));
      calls.unlink(at(name));
      files.remove(name);
      return;
    }
    byte[] data = bytes(random.nextInt(8) == 0 ? LARGE_MAX : SMALL_MAX);
    int fd = calls.open(at("new"), CrashCalls.RDWR | CrashCalls.CREAT | CrashCalls.TRUNC, 0644);
    try {
      calls.write(fd, data, 0, false);
    } finally {
      calls.close(fd);
    }
    files.put(name, Arrays.asList(before == null ? null : before.getFirst(), data));
    older.computeIfAbsent(name, key -> new HashSet<>()).add(Arrays.hashCode(data));
    calls.rename(at("new"), at(name), 0);
    files.put(name, List.of(data));
    written++;
  }

  private void check() throws IOException {
    try {
      calls.unlink(at("new"));
    } catch (Failed renamed) {
      // it has its name
    }
    Set<String> names = names();
    for (String name : List.copyOf(files.keySet())) {
      List<byte[]> may = files.get(name);
      if (!names.remove(name)) {
        if (!toImport.contains(name) && !may.contains(null)) {
          losses.add(name + " is gone");
        }
        if (!toImport.contains(name)) {
          files.remove(name);
        }
        continue;
      }
      toImport.remove(name);
      byte[] found = content(name);
      if (may.stream().noneMatch(each -> each != null && Arrays.equals(each, found))) {
        losses.add(name + " has " + found.length + " bytes that nobody wrote");
      }
      files.put(name, List.of(found));
    }
    for (String name : names) {
      byte[] found = content(name);
      if (!isOlder(name, found)) {
        losses.add(name + " is there, and nobody made it");
      } else if (!name.contains(CONFLICT)) {
        files.put(name, List.of(found));
      }
    }
  }

  /**
   * Where the node was killed between an upload and its mark, an object may be there that no row
   * tells of: a file that was deleted comes back by an import, or another one of its name meets it
   * and keeps it as a conflict copy. Nothing is lost, and one file too many is there.
   */
  private boolean isOlder(String name, byte[] found) {
    int suffix = name.indexOf(CONFLICT);
    String own = suffix > 0 ? name.substring(0, suffix) : name;
    return older.getOrDefault(own, Set.of()).contains(Arrays.hashCode(found));
  }

  /** Of a file that is there: whoever lists it can read it, wherever its bytes are. */
  private byte[] content(String name) throws IOException {
    Path file = rig.mount.resolve("l").resolve(name);
    try {
      return Files.readAllBytes(file);
    } catch (IOException e) {
      losses.add(name + " can't be read: " + e.getMessage() + "; " + place(file, name));
      return new byte[0];
    }
  }

  private String place(Path file, String name) {
    try {
      PlainS3.Answer object = bucket.get(BUCKET, name);
      Object reason = Files.getAttribute(file, "user:millrace.reason");
      return new String((byte[]) reason, StandardCharsets.UTF_8)
          + "; "
          + Files.size(file)
          + " bytes; in the bucket "
          + object.status()
          + " "
          + object.http().headers().map()
          + " of "
          + bucket.keys(BUCKET, "");
    } catch (IOException e) {
      return e.toString();
    }
  }

  private Set<String> names() throws IOException {
    var names = new TreeSet<String>();
    try (var listed = Files.newDirectoryStream(rig.mount.resolve("l"))) {
      listed.forEach(each -> names.add(each.getFileName().toString()));
    }
    return names;
  }

  private void checkEnd() throws Exception {
    rig.millrace("import /l --wait");
    check();
    assertEquals(Set.of(), toImport, "not imported");
    rig.millrace("wait --exported /l --timeout 5m");
    for (var file : files.entrySet()) {
      byte[] object = bucket.get(BUCKET, file.getKey()).body();
      assertTrue(
          Arrays.equals(file.getValue().getFirst(), object), file.getKey() + " in the bucket");
    }
    for (int i = 0; i < FILES; i++) {
      assertEquals(files.containsKey("f" + i), bucket.exists(BUCKET, "f" + i), "f" + i);
    }
    rig.millrace("evict /l --wait");
    check();
    long end = System.nanoTime() + LIMIT_NANOS;
    while (rig.dirtyBytes() > 0) {
      assertTrue(System.nanoTime() < end, "leaked: " + rig.dirtyBytes());
      Thread.sleep(50); // polls
    }
    rig.stopAll();
    CheckReport left = look(true);
    assertEquals(List.of(), left.findings());
    assertEquals(0, left.reclaimableBlocks);
  }

  private CheckReport look(boolean deep) {
    try (var store = new StoreCheck(rig.store)) {
      return store.check(deep);
    }
  }
}
