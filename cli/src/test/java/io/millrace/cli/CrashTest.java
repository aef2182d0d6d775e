package io.millrace.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.millrace.cli.CrashRig.Victim;
import io.millrace.cli.fsck.StoreCheck;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Programs change files through a real mount; the node, the mount, both, or `up` get SIGKILL at a
 * random moment. After the restart every change that was acknowledged is there, the one call of
 * each program that was not answered has happened or has not, and fsck finds nothing.
 */
@Tag("crash")
class CrashTest {
  private static final int WRITERS = 4;
  private static final List<Victim> APART = List.of(Victim.NODE, Victim.MOUNT, Victim.BOTH);
  private static final int RUN_MILLIS_MAX = 800;
  private static final long STUCK_SECONDS = 60;

  private final long seed = Long.getLong("seed", System.nanoTime());
  private final SplittableRandom random = new SplittableRandom(seed);
  private final Map<Victim, Integer> kills = new EnumMap<>(Victim.class);
  private final List<String> losses = new ArrayList<>();
  private final List<CrashWriter> writers = new ArrayList<>();
  private CrashRig rig;
  boolean trash;

  @Test
  void acknowledgedChangesSurviveKillOfUp() throws Exception {
    run(true, Integer.getInteger("millrace.kills", 10));
  }

  @Test
  void acknowledgedChangesSurviveKillOfNodeAndMount() throws Exception {
    run(false, Integer.getInteger("millrace.kills", 10));
  }

  @Test
  void whatWasDeletedIsInTheTrashAfterKills() throws Exception {
    trash = true;
    run(false, Integer.getInteger("millrace.kills", 6));
  }

  void run(boolean together, int wanted) throws Exception {
    System.out.println("seed " + seed + " (-Dseed=" + seed + " replays the choices)");
    long operations = 0;
    try (var crashing = new CrashRig(together)) {
      rig = crashing;
      rig.startAll();
      var calls = new CrashCalls();
      rig.limitAll();
      if (trash) {
        rig.millrace("trash set / --keep 7d");
      }
      calls.mkdir(rig.mount.resolve(CrashTree.SHARED).toString(), 0755);
      for (int i = 0; i < WRITERS; i++) {
        var writer = new CrashWriter(rig.mount, i, calls, random.split());
        writer.prepare();
        writers.add(writer);
      }
      for (int i = 0; i < wanted && losses.isEmpty(); i++) {
        round(together ? Victim.UP : APART.get(i % APART.size()));
      }
      operations = writers.stream().mapToLong(each -> each.operations).sum();
      rig.stopAll();
      checkStore("after an orderly stop");
    } finally {
      System.out.println(
          kills.values().stream().mapToInt(Integer::intValue).sum()
              + " kills "
              + kills
              + ", "
              + operations
              + " operations acknowledged, "
              + losses.size()
              + " losses"
              + (trash ? ", in the trash " + deleted() : ""));
    }
    assertEquals(List.of(), losses, "lost; -Dseed=" + seed);
  }

  private void round(Victim victim) throws Exception {
    List<Thread> running = writers.stream().map(Thread.ofPlatform()::start).toList();
    Thread.sleep(random.nextInt(20, RUN_MILLIS_MAX)); // the random moment
    writers.forEach(CrashWriter::killing);
    rig.kill(victim);
    kills.merge(victim, 1, Integer::sum);
    if (victim == Victim.NODE) {
      rig.startNode();
      Thread.sleep(random.nextInt(1, 50)); // goes on a little
      writers.forEach(CrashWriter::stop);
      join(running);
      check(victim, true);
      return;
    }
    join(running);
    writers.forEach(CrashWriter::forgetHandles);
    rig.unmount();
    if (victim == Victim.MOUNT) {
      rig.startMount();
    } else {
      checkStore("after kill of " + victim);
      rig.startAll();
    }
    check(victim, false);
  }

  private int deleted() {
    return writers.stream().mapToInt(writer -> writer.tree.deleted.size()).sum();
  }

  private void join(List<Thread> running) throws InterruptedException {
    for (Thread thread : running) {
      thread.join(TimeUnit.SECONDS.toMillis(STUCK_SECONDS));
      if (thread.isAlive()) {
        throw new AssertionError("a call hangs since the kill; -Dseed=" + seed);
      }
    }
    for (CrashWriter writer : writers) {
      if (writer.failure != null) {
        throw new AssertionError("failed before the kill; -Dseed=" + seed, writer.failure);
      }
    }
  }

  private void check(Victim victim, boolean mountLives) throws Exception {
    for (CrashWriter writer : writers) {
      List<String> found = check(writer, mountLives);
      String doubt = writer.inFlight == null ? "nothing" : writer.inFlight.what();
      found.forEach(each -> losses.add("kill of " + victim + ": " + each + "; in doubt: " + doubt));
      writer.resume();
    }
  }

  private List<String> check(CrashWriter writer, boolean mountLives) throws Exception {
    CrashWriter.Step doubt = writer.inFlight;
    if (mountLives) {
      var losses = new ArrayList<String>();
      if (doubt != null) {
        losses.add("a call failed though the mount lives");
      }
      losses.addAll(new CrashCheck(rig.mount, writer.tree, true, trash).differences());
      writer.checkHandles(losses);
      return losses;
    }
    if (doubt != null && doubt.maybe() != null) {
      doubt.maybe().run();
    }
    var check = new CrashCheck(rig.mount, writer.tree, false, trash);
    List<String> differences = check.differences();
    if (!differences.isEmpty() && doubt != null && doubt.maybe() == null) {
      doubt.done().run();
      check = new CrashCheck(rig.mount, writer.tree, false, trash);
      List<String> after = check.differences();
      after.forEach(each -> differences.add("or: " + each));
      if (after.isEmpty()) {
        differences.clear();
      }
    }
    check.settle();
    return differences;
  }

  private void checkStore(String when) {
    try (var store = new StoreCheck(rig.store)) {
      var report = store.check(true);
      report.findings().forEach(each -> losses.add("fsck " + when + ": " + each));
    }
  }
}
