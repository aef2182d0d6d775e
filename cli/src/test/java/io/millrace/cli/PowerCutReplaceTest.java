package io.millrace.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.cli.CrashCalls.Failed;
import io.millrace.cli.CrashRig.Victim;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The way programs save: a new file is written, synced, and renamed over the old one. Whenever the
 * power goes, the name has one of the synced contents, whole: also where the cut takes back the
 * rename, after the collector has seen the old content without a name.
 */
@Tag("crash")
class PowerCutReplaceTest {
  private static final int CUTS = Integer.getInteger("millrace.cuts", 4);
  private static final int FILES = 6;
  private static final int SIZE_MAX = 3 << 20; // small blocks and large ones
  private static final int COLLECTED_MILLIS = 1200;

  private final long seed = Long.getLong("seed", System.nanoTime());
  private final SplittableRandom random = new SplittableRandom(seed);
  private final CrashCalls calls = new CrashCalls();
  private final List<String> losses = new ArrayList<>();
  private final List<List<byte[]>> contents = new ArrayList<>();
  private CrashRig rig;
  private int replaced;

  @Test
  void H13_aReplacedFileIsOldOrNewAfterAPowerCut() throws Exception {
    System.out.println("seed " + seed + " (-Dseed=" + seed + " replays the choices)");
    try (var cutting = new CrashRig(true);
        var disk = new PowerCutDisk(cutting.store)) {
      rig = cutting;
      disk.mount();
      rig.startAll();
      for (int i = 0; i < FILES; i++) {
        contents.add(new ArrayList<>());
        write(i);
        calls.rename(at("new" + i), at("f" + i), 0);
        syncName(i);
      }
      for (int i = 0; i < CUTS && losses.isEmpty(); i++) {
        replaceSome();
        rig.kill(Victim.UP);
        rig.unmount();
        disk.cut(random);
        disk.mount();
        rig.startAll();
        check();
      }
      System.out.printf("%d power cuts, %d replaced, %d losses%n", CUTS, replaced, losses.size());
      assertEquals(List.of(), losses, "lost; -Dseed=" + seed);
      rig.stopAll();
      String fsck = rig.fsck();
      assertTrue(fsck.contains("\"findings\" : [ ]"), fsck);
    }
  }

  private String at(String name) {
    return rig.mount.resolve(name).toString();
  }

  /** No sync after the renames: a cut may take back any number of them. */
  private void replaceSome() throws Exception {
    for (int i = 0; i < FILES; i++) {
      write(i);
    }
    for (int i = 0; i < FILES; i++) {
      calls.rename(at("new" + i), at("f" + i), 0);
      replaced++;
    }
    Thread.sleep(random.nextInt(1, COLLECTED_MILLIS)); // the random moment, of the collector too
  }

  private void write(int file) throws Failed {
    byte[] data = new byte[random.nextInt(1, SIZE_MAX)];
    random.nextBytes(data);
    int fd = calls.open(at("new" + file), CrashCalls.RDWR | CrashCalls.CREAT, 0644);
    calls.write(fd, data, 0, false);
    calls.fsync(fd);
    calls.close(fd);
    contents.get(file).add(data);
  }

  private void syncName(int file) throws Failed {
    int fd = calls.open(at("f" + file), CrashCalls.RDWR, 0);
    calls.fsync(fd);
    calls.close(fd);
  }

  /** What was read may still be taken back by the next cut: it is synced first. */
  private void check() throws Failed {
    for (int i = 0; i < FILES; i++) {
      try {
        int fd = calls.open(at("f" + i), CrashCalls.RDWR, 0);
        byte[] found = calls.read(fd, SIZE_MAX + 1);
        calls.close(fd);
        check(i, found);
        syncName(i);
      } catch (Failed failed) {
        losses.add("f" + i + ": " + failed.getMessage());
      }
      discard("new" + i);
    }
  }

  private void check(int file, byte[] found) {
    List<byte[]> known = contents.get(file);
    if (known.stream().noneMatch(each -> Arrays.equals(each, found))) {
      losses.add("f" + file + ": " + found.length + " bytes that nobody synced");
    }
    known.clear();
    known.add(found);
  }

  private void discard(String name) {
    try {
      calls.unlink(at(name));
    } catch (Failed gone) {
      // its rename has survived
    }
  }
}
