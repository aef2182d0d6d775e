package io.millrace.fuse;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Processes killed while they wait for an answer. */
@Tag("mount")
@Timeout(60)
class InterruptTest extends Mounted {
  private final Semaphore reading = new Semaphore(0);
  private final Semaphore interrupted = new Semaphore(0);
  private final CountDownLatch never = new CountDownLatch(1);
  private FuseRequest.OnInterrupt mode = FuseRequest.OnInterrupt.ANSWER_EINTR;

  private final class Stuck extends MemoryTree {
    @Override
    public void read(FuseRequest r, long nodeid, long fh, long offset, int size) {
      r.blocking(
          mode,
          reply -> {
            reading.release();
            try {
              never.await();
            } catch (InterruptedException e) {
              interrupted.release();
              reply.error(4);
            }
          });
    }
  }

  /**
   * Reads past the page cache, so that the request belongs to the reader and is interrupted with
   * it.
   */
  private void killReaders(int readers) throws Exception {
    MemoryTree tree = new Stuck();
    tree.openFlags = OpenReplyFlags.DIRECT_IO;
    mount(tree);
    tree.put("a", "content");
    Process[] processes = new Process[readers];
    for (int i = 0; i < readers; i++) {
      processes[i] = new ProcessBuilder("cat", dir + "/a").redirectErrorStream(true).start();
    }
    reading.acquire();
    for (Process process : processes) {
      process.destroyForcibly();
    }
    for (Process process : processes) {
      assertTrue(process.waitFor(5, TimeUnit.SECONDS), "kill -9 ends a blocked reader");
    }
    assertTrue(interrupted.tryAcquire(5, TimeUnit.SECONDS), "the body is interrupted");
    eventually(() -> session.pendingReplies() == 0, "no reply is left open");
    assertEquals("a", sh("ls"));
  }

  @Test
  void H22_killNineEndsAReaderAtOnce() throws Exception {
    killReaders(1);
  }

  @Test
  void H22_killNineEndsAReaderWhoseBodyAnswers() throws Exception {
    mode = FuseRequest.OnInterrupt.INTERRUPT_BODY;
    killReaders(1);
  }

  @Test
  void H22_alsoWithMoreReadersThanWorkers() throws Exception {
    killReaders(8);
  }

  @Test
  void H22_alsoWhenTheLimitOfBodiesIsReached() throws Exception {
    MemoryTree tree = new Stuck();
    tree.openFlags = OpenReplyFlags.DIRECT_IO;
    mount(tree, FuseConfig.at(dir).workers(2).blockingMax(2));
    Process[] processes = new Process[3];
    for (int i = 0; i < processes.length; i++) {
      tree.put("f" + i, "content");
      processes[i] = new ProcessBuilder("cat", dir + "/f" + i).start();
    }
    reading.acquire(2);
    for (Process process : processes) {
      process.destroyForcibly();
      assertTrue(process.waitFor(5, TimeUnit.SECONDS));
    }
  }

  @Test
  void H22_killNineEndsAReaderThatWaitsForAPage() throws Exception {
    MemoryTree tree = new Stuck();
    mount(tree);
    tree.put("a", "content");
    Process process = new ProcessBuilder("cat", dir + "/a").start();
    reading.acquire();
    process.destroyForcibly();
    assertTrue(process.waitFor(5, TimeUnit.SECONDS));
    never.countDown();
    eventually(() -> session.pendingReplies() == 1, "read-ahead has no one to interrupt it");
  }

  @Test
  void aForcedEndInterruptsWhatWaits() throws Exception {
    MemoryTree tree = new Stuck();
    mount(tree);
    tree.put("a", "content");
    Process process = Shell.start(dir, "cat a");
    reading.acquire();
    session.close();
    assertTrue(process.waitFor(5, TimeUnit.SECONDS));
    assertEquals(FuseSession.End.UNMOUNTED_HERE, session.ended().get());
  }
}
