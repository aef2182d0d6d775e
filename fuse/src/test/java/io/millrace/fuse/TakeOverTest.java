package io.millrace.fuse;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** H17: one session ends in the middle of requests, another goes on with the mount. */
@Tag("mount")
@Timeout(60)
class TakeOverTest extends Mounted {
  /** Reads a mkdir and never answers it, as a process that dies; answers when it comes again. */
  private static final class DyingTree extends MemoryTree {
    private final CountDownLatch read = new CountDownLatch(1);
    private final AtomicLong key = new AtomicLong();

    @Override
    public synchronized void mkdir(FuseRequest r, long parent, int mode, int umask) {
      if (parent == 1) {
        super.mkdir(r, parent, mode, umask);
      } else if (r.isResent()) {
        assertEquals(key.get(), r.key());
        super.mkdir(r, parent, mode, umask);
      } else {
        key.set(r.key());
        r.detach();
        read.countDown();
      }
    }
  }

  /** Where no session took the mount over: whoever touched it would wait for ever. */
  @AfterEach
  void detachWhatNobodyServes() throws Exception {
    if (session == null) {
      Shell.tryRun(Path.of("/"), "umount -l " + dir);
    }
  }

  @Test
  void H17_requestsThatWereReadComeAgain() throws Exception {
    var tree = new DyingTree();
    tree.put("a", "content");
    var vault = DescriptorVault.create();
    assertNull(vault.look());
    FuseConfig config = FuseConfig.at(dir).workers(3).build();
    FuseSession first = FuseSession.mount(config, tree, vault);
    assumeTrue(first.features().canResend(), "this kernel does not send requests again");
    assertFalse(first.isTakenOver());
    Process user =
        Shell.start(dir, "exec 3< a && mkdir s && mkdir s/d && cat <&3 && stat -c %F s/d");
    assertTrue(tree.read.await(10, TimeUnit.SECONDS));
    assertFalse(first.handOver(Duration.ofMillis(10)), "the mkdir is not answered");
    List<Process> waiting = new ArrayList<>();
    for (int i = 0; i < 3; i++) { // each of the three workers reads one more, and drops it
      waiting.add(Shell.start(dir, "stat none" + i));
    }
    assertEquals(FuseSession.End.HANDED_OVER, first.ended().get(10, TimeUnit.SECONDS));
    mountAgain(tree, config, vault);
    assertTrue(session.isTakenOver());
    assertEquals(first.features(), session.features());
    String said = new String(user.getInputStream().readAllBytes(), UTF_8).strip();
    assertEquals(0, user.waitFor(), said);
    assertEquals("contentdirectory", said);
    for (Process process : waiting) {
      assertTrue(process.waitFor(10, TimeUnit.SECONDS));
      assertEquals(1, process.exitValue());
    }
    assertEquals("hello", sh("echo hello > b && cat b"));
  }

  @Test
  void aHandOverInOrderAnswersWhatWasBegun() throws Exception {
    var tree = new MemoryTree();
    var vault = DescriptorVault.create();
    FuseConfig config = FuseConfig.at(dir).workers(2).build();
    FuseSession first = FuseSession.mount(config, tree, vault);
    assumeTrue(first.features().canResend(), "this kernel does not send requests again");
    Process writer =
        Shell.start(
            dir, "i=0; while [ $i -lt 300 ]; do echo $i >> log || exit 9; i=$((i+1)); done");
    eventually(() -> first.requests(FuseOpcode.WRITE) > 20, "the writer writes");
    assertTrue(first.handOver(Duration.ofSeconds(5)));
    Process other = Shell.start(dir, "stat none0; stat none1");
    assertEquals(FuseSession.End.HANDED_OVER, first.ended().get(10, TimeUnit.SECONDS));
    mountAgain(tree, config, vault);
    assertEquals(0, writer.waitFor());
    assertEquals(1, other.waitFor());
    assertEquals("300 299", sh("echo $(wc -l < log) $(tail -n 1 log)"));
  }
}
