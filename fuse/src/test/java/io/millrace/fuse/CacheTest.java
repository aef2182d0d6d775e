package io.millrace.fuse;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What the kernel caches, how notices take it back, and what it still holds. */
@Tag("mount")
@Timeout(60)
class CacheTest extends Mounted {
  private final MemoryTree tree = new MemoryTree();
  private final BlockingQueue<Integer> done = new LinkedBlockingQueue<>();

  private static byte[] name(String s) {
    return s.getBytes(StandardCharsets.UTF_8);
  }

  private void taken() throws Exception {
    assertEquals(0, done.poll(10, TimeUnit.SECONDS));
  }

  private void replaceContent(MemoryTree.Node node, String content) {
    synchronized (tree) {
      node.content = name(content);
      node.size = node.content.length;
    }
  }

  @Test
  void pagesAndAttributesGoByInvalidateInode() throws Exception {
    mount(tree);
    MemoryTree.Node node = tree.put("a", "old");
    assertEquals("old", sh("cat a"));
    replaceContent(node, "new");
    assertEquals("old", sh("cat a"));
    assertTrue(session.notifier().invalidateInode(node.ino, 0, 0, done::add));
    taken();
    assertEquals("new", sh("cat a"));
    assertTrue(session.notifier().invalidateInode(999, 0, 0, done::add));
    taken();
  }

  @Test
  void H24_aNewSizeWithoutANoticeKeepsOldPages() throws Exception {
    mount(tree);
    MemoryTree.Node node = tree.put("a", "old");
    assertEquals("old", sh("cat a"));
    replaceContent(node, "newer");
    // A read makes atime unknown, so cat's fstat asks for attributes: the size grows over the
    // cached page.
    assertEquals("old", sh("cat a | tr -d '\\0'"));
    assertEquals("5", sh("stat -c %s a"));
    session.notifier().invalidateInode(node.ino, 0, 0, done::add);
    taken();
    assertEquals("newer", sh("cat a"));
  }

  @Test
  void entriesGoByInvalidateEntryAndDelete() throws Exception {
    mount(tree);
    tree.put("a", "first");
    assertEquals("first", sh("cat a"));
    replaceFile("a", "second");
    assertEquals("first", sh("cat a"));
    session.notifier().invalidateEntry(1, name("a"), false, done::add);
    taken();
    assertEquals("second", sh("cat a"));
    MemoryTree.Node third = replaceFile("a", "third");
    session.notifier().invalidateEntry(1, name("a"), true, done::add);
    taken();
    assertEquals("third", sh("cat a"));
    replaceFile("a", "fourth");
    session.notifier().delete(1, third.ino, name("a"), done::add);
    taken();
    assertEquals("fourth", sh("cat a"));
    session.notifier().invalidateEntry(1, name("unknown"), false, done::add);
    taken();
  }

  private MemoryTree.Node replaceFile(String name, String content) {
    synchronized (tree) {
      tree.removeName(name);
      return tree.put(name, content);
    }
  }

  @Test
  void H09_anEpochMakesAllEntriesBeLookedUpAgain() throws Exception {
    mount(tree);
    tree.put("a", "first");
    tree.put("b", "first");
    sh("cat a b");
    replaceFile("a", "second");
    replaceFile("b", "second");
    assertEquals("firstfirst", sh("cat a b"));
    assertTrue(session.features().canIncEpoch(), "kernel 6.16 or newer");
    session.notifier().incEpoch(done::add);
    taken();
    assertEquals("secondsecond", sh("cat a b"));
  }

  @Test
  void contentCanBeStored() throws Exception {
    mount(tree);
    MemoryTree.Node node = tree.put("a", "abc");
    sh("stat a");
    session.notifier().store(node.ino, 0, name("xyz"), done::add);
    taken();
    assertEquals("xyz", sh("cat a"));
    assertEquals(0, session.requests(FuseOpcode.READ));
  }

  @Test
  void lookupsAreExact() throws Exception {
    mount(tree);
    sh(
        "for d in 1 2 3 4 5; do mkdir d$d; for f in 1 2 3 4 5 6 7 8 9; do echo $f > d$d/$f; done; done");
    sh("ls -lR > /dev/null; find . -type f | xargs cat > /dev/null; mv d1/1 d2/x; rm d3/3");
    // The kernel sends the FORGET of the removed file when it gets to it.
    eventually(() -> session.lookups().size() == 5 + 45 - 1, "one lookup for each name");
    eventually(
        () -> {
          dropCaches();
          return session.lookups().size() == 0;
        },
        "the kernel forgets exactly what was counted");
    assertEquals(50, tree.nodeCount());
    assertEquals("44", sh("find . -type f | wc -l"));
  }

  private void dropCaches() {
    try {
      assertEquals(0, Shell.tryRun(dir, "echo 2 > /proc/sys/vm/drop_caches").exit());
    } catch (java.io.IOException | InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void withoutOpenTheSecondReadCostsNothing() throws Exception {
    tree.openSupported = false;
    mount(tree, FuseConfig.at(dir).workers(3).readOnly(true));
    tree.put("a", "content");
    assertEquals("content", sh("cat a"));
    long before = total();
    assertEquals("content", Shell.run(dir.getParent(), "cat " + dir + "/a"));
    assertEquals(before, total());
    assertEquals(1, session.requests(FuseOpcode.OPEN));
    assertEquals(1, session.requests(FuseOpcode.READ));
    assertEquals(1, session.requests(FuseOpcode.FLUSH));
    assertNotEquals(0, Shell.tryRun(dir, "echo x > b").exit());
  }

  private long total() {
    long sum = 0;
    for (int opcode = 0; opcode < FuseOpcode.LIMIT; opcode++) {
      sum += session.requests(opcode);
    }
    return sum;
  }

  @Test
  void H07_aNoticeWaitsForARequestThatHoldsItsDirectoryAndNoOtherDoes() throws Exception {
    var waiting = new CountDownLatch(1);
    var go = new CountDownLatch(1);
    var holding =
        new MemoryTree() {
          @Override
          public synchronized void mkdir(FuseRequest r, long parent, int mode, int umask) {
            session.notifier().invalidateEntry(parent, r.name(), false, done::add);
            r.blocking(
                FuseRequest.OnInterrupt.IGNORE,
                reply -> {
                  waiting.countDown();
                  go.await();
                  reply.error(17);
                });
          }
        };
    mount(holding, FuseConfig.at(dir).workers(2).notifierThreads(2));
    MemoryTree.Node file = holding.put("f", "x");
    sh("cat f");
    Process mkdir = Shell.start(dir, "mkdir d");
    waiting.await();
    var other = new LinkedBlockingQueue<Integer>();
    session.notifier().invalidateInode(file.ino, 0, 0, other::add);
    assertEquals(0, other.poll(10, TimeUnit.SECONDS));
    assertTrue(done.isEmpty(), "the kernel holds the directory's lock for mkdir");
    go.countDown();
    taken();
    assertTrue(mkdir.waitFor(10, TimeUnit.SECONDS));
    assertFalse(mkdir.exitValue() == 0);
  }
}
