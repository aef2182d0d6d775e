package io.millrace.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.cli.CrashRig.Victim;
import io.millrace.cli.fsck.CheckReport;
import io.millrace.cli.fsck.StoreCheck;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * What a killed mount leaves is collected: blocks it had sent ahead and never committed, files it
 * had open without a name. Writers beside the collector lose nothing.
 */
@Tag("crash")
class CrashLeakTest {
  private static final int BIG_BYTES = 10 << 20;
  private static final long LIMIT_NANOS = 60_000_000_000L;

  private final SplittableRandom random = new SplittableRandom(Long.getLong("seed", 16));
  private final CrashCalls calls = new CrashCalls();
  private CrashRig rig;

  @BeforeEach
  void start() throws Exception {
    rig = new CrashRig(true);
    rig.startAll();
  }

  @AfterEach
  void stop() throws Exception {
    rig.close();
  }

  private String at(String name) {
    return rig.mount.resolve(name).toString();
  }

  private int create(String name) throws CrashCalls.Failed {
    return calls.open(at(name), CrashCalls.RDWR | CrashCalls.CREAT | CrashCalls.EXCL, 0644);
  }

  private byte[] bytes(int length) {
    byte[] data = new byte[length];
    random.nextBytes(data);
    return data;
  }

  private void closeDead(List<Integer> open) {
    for (int fd : open) {
      try {
        calls.close(fd);
      } catch (CrashCalls.Failed gone) {
        // its mount is dead
      }
    }
  }

  private CheckReport look() {
    try (var store = new StoreCheck(rig.store)) {
      return store.check(false);
    }
  }

  @Test
  void H16_usageReturnsToWhatFilesNeed() throws Exception {
    int kept = create("kept");
    byte[] content = bytes(BIG_BYTES);
    calls.write(kept, content, 0, false);
    calls.close(kept);
    int unfinished = create("unfinished");
    calls.write(unfinished, bytes(BIG_BYTES), 0, false); // whole blocks are sent ahead
    int unnamed = create("unnamed");
    calls.write(unnamed, bytes(BIG_BYTES), 0, false);
    calls.fsync(unnamed);
    calls.unlink(at("unnamed"));
    awaitDirtyBytes(2 * BIG_BYTES + (4 << 20));
    rig.kill(Victim.UP);
    closeDead(List.of(unfinished, unnamed));
    rig.unmount();
    CheckReport dead = look();
    assertEquals(List.of(), dead.findings());
    assertTrue(dead.reclaimableBytes >= 4 << 20, "nothing was sent ahead");
    rig.startAll();
    awaitUsage(BIG_BYTES);
    int read = calls.open(at("kept"), CrashCalls.RDWR, 0);
    assertTrue(java.util.Arrays.equals(content, calls.read(read, BIG_BYTES + 1)));
    calls.close(read);
    rig.stopAll();
    CheckReport after = look();
    assertEquals(List.of(), after.findings());
    assertEquals(0, after.reclaimableBlocks);
    assertEquals(BIG_BYTES, after.bytes);
  }

  /** Polls the node until the bytes that only it has are at least so many. */
  private void awaitDirtyBytes(long atLeast) throws Exception {
    long end = System.nanoTime() + LIMIT_NANOS;
    while (rig.dirtyBytes() < atLeast) {
      assertTrue(System.nanoTime() < end, "sent ahead only " + rig.dirtyBytes());
      Thread.sleep(50); // polls
    }
  }

  private void awaitUsage(long bytes) throws Exception {
    long end = System.nanoTime() + LIMIT_NANOS;
    while (rig.dirtyBytes() > bytes + (bytes >> 6)) { // headers and sums included
      assertTrue(System.nanoTime() < end, "still there: " + rig.dirtyBytes());
      Thread.sleep(50); // polls
    }
  }
}
