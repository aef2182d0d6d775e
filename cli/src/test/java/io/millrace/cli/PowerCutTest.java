package io.millrace.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.cli.CrashCalls.Failed;
import io.millrace.cli.CrashRig.Victim;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The store lies on a disk that loses and tears what was not synced. After the cut every file whose
 * fsync was answered has its name and its bytes, or bytes that were written to it later; a file
 * that was written since may say EIO, and never shows bytes that nobody wrote.
 */
@Tag("crash")
class PowerCutTest {
  private static final int CUTS = Integer.getInteger("millrace.cuts", 6);
  private static final int FILES = 12;
  private static final int SIZE_MAX = 300_000;
  private static final int EIO = 5;

  private final long seed = Long.getLong("seed", System.nanoTime());
  private final SplittableRandom random = new SplittableRandom(seed);
  private final CrashCalls calls = new CrashCalls();
  private final Map<String, Known> files = new TreeMap<>();
  private final List<String> losses = new ArrayList<>();
  private CrashRig rig;
  private long synced;
  private long damaged;

  /** Contents it may have, oldest first; the first was synced where {@code durable}. */
  private static final class Known {
    private final CrashTree.Plain content = new CrashTree.Plain();
    private boolean durable;
  }

  @Test
  void H13_syncedDataSurvivesPowerCuts() throws Exception {
    System.out.println("seed " + seed + " (-Dseed=" + seed + " replays the choices)");
    try (var cutting = new CrashRig(true);
        var disk = new PowerCutDisk(cutting.store)) {
      rig = cutting;
      disk.mount();
      rig.startAll();
      for (int i = 0; i < CUTS && losses.isEmpty(); i++) {
        writeWithoutFailure();
        rig.kill(Victim.UP);
        rig.unmount();
        disk.cut(random);
        disk.mount();
        rig.startAll();
        check();
      }
      if (!losses.isEmpty()) {
        losses.add("the server said: " + rig.said());
      }
      rig.stopAll();
      String fsck = rig.fsck();
      assertTrue(fsck.contains("\"findings\" : [ ]"), fsck);
    }
    System.out.printf(
        "%d power cuts, %d files synced, %d damaged as documented, %d losses%n",
        CUTS, synced, damaged, losses.size());
    assertEquals(List.of(), losses, "lost; -Dseed=" + seed);
  }

  private String at(String name) {
    return rig.mount.resolve(name).toString();
  }

  private void writeWithoutFailure() throws IOException {
    try {
      write(random.nextInt(20, 60));
    } catch (Failed failed) {
      throw new AssertionError("-Dseed=" + seed + ", the server said: " + rig.said(), failed);
    }
  }

  private void write(int steps) throws Failed {
    for (int i = 0; i < steps; i++) {
      String name = "f" + random.nextInt(FILES);
      Known known = files.computeIfAbsent(name, key -> new Known());
      int flags = CrashCalls.RDWR | CrashCalls.CREAT;
      int fd = calls.open(at(name), flags, 0644);
      byte[] data = new byte[random.nextInt(1, SIZE_MAX)];
      random.nextBytes(data);
      int offset = random.nextInt(known.content.content().length + 1);
      calls.write(fd, data, offset, false);
      known.content.wrote(offset, data);
      if (random.nextInt(3) == 0) {
        calls.fsync(fd);
        known.content.settled(known.content.content());
        known.durable = true;
        synced++;
      }
      calls.close(fd);
    }
  }

  private void check() {
    for (var each : Map.copyOf(files).entrySet()) {
      Known known = each.getValue();
      byte[] found = null;
      try {
        int fd = calls.open(at(each.getKey()), CrashCalls.RDWR, 0);
        try {
          found = calls.read(fd, 4 * SIZE_MAX + (8 << 20));
        } finally {
          calls.close(fd);
        }
      } catch (Failed failed) {
        failed(each.getKey(), known, failed);
      }
      String refusal = found == null ? null : known.content.refusal(found);
      if (refusal != null) {
        losses.add(each.getKey() + ": " + refusal);
      }
      if (found == null) {
        forget(each.getKey());
      } else {
        known.content.settled(Arrays.copyOf(found, found.length));
        known.durable = false; // seen is not synced
      }
    }
  }

  /** A name that was never synced may be gone; bytes written since the sync may be damaged. */
  private void failed(String name, Known known, Failed failed) {
    boolean changed = known.content.candidates.size() > 1;
    boolean allowed = failed.errno == EIO ? changed || !known.durable : !known.durable;
    if (!allowed) {
      losses.add(name + ": " + failed.getMessage());
    }
    damaged++;
  }

  private void forget(String name) {
    try {
      calls.unlink(at(name));
    } catch (Failed gone) {
      // it has no name
    }
    files.remove(name);
  }
}
