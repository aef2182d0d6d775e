package io.millrace.client.mount;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.millrace.client.MemoryNode;
import io.millrace.core.api.Errno;
import io.millrace.core.api.Ino;
import io.millrace.core.wire.Op;
import io.millrace.proto.Inode;
import io.millrace.proto.Notice;
import io.millrace.proto.NoticeItem;
import io.millrace.proto.NoticeKind;
import io.millrace.testkit.s3.ScratchDirectory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.SplittableRandom;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The whole client below a real mount, over a node in memory that counts requests. */
@Tag("mount")
@SuppressWarnings("StringConcatToTextBlock") // scripts with values in them read better in one way
final class MountTest {
  private final MemoryNode node = new MemoryNode();
  private ScratchDirectory scratch;
  private Path directory;
  private Mount mount;

  @BeforeEach
  void mount() throws Exception {
    scratch = ScratchDirectory.create("millrace-mount");
    directory = scratch.path();
    mount = Mount.start(MountConfig.at(directory).build(), node);
  }

  private void remount(MountConfig.Mode mode) throws Exception {
    mount.close();
    mount = Mount.start(MountConfig.at(directory).mode(mode).build(), node);
  }

  @AfterEach
  void unmount() throws Exception {
    mount.close();
    assertEquals(0, mount.unflushed().size());
    scratch.close();
    assertEquals(0, node.pinnedReplies(), "every payload was closed");
  }

  private Inode inode(String name) {
    return node.tree().lookup(Ino.ROOT, ByteString.copyFromUtf8(name));
  }

  private String content(String name) {
    return new String(node.tree().content(inode(name).getIno()), StandardCharsets.UTF_8);
  }

  /** What is asynchronous (RELEASE, batches) ends soon. */
  private static void eventually(String what, BooleanSupplier condition) {
    long end = System.nanoTime() + 10_000_000_000L;
    while (!condition.getAsBoolean()) {
      assertTrue(System.nanoTime() < end, what);
      LockSupport.parkNanos(2_000_000);
    }
  }

  @Test
  void writesAndReads() throws Exception {
    assertEquals("hello", Shell.run(directory, "echo hello > a && cat a"));
    assertEquals("hello\n", content("a"));
    assertEquals("hello\nworld", Shell.run(directory, "echo world >> a && cat a"));
    assertEquals("0", Shell.run(directory, ": > a; stat -c %s a"));
    assertEquals("", content("a"));
  }

  @Test
  void namesAndAttributes() throws Exception {
    Shell.run(directory, "mkdir -p d/e && echo 1 > d/e/f && mv d/e/f d/g && ln d/g h && ln -s h s");
    assertEquals("1\n1\nh", Shell.run(directory, "cat h && cat s && readlink s"));
    assertEquals("2", Shell.run(directory, "stat -c %h h"));
    Shell.run(directory, "chmod 640 h && touch -d @1000 h && rmdir d/e && rm d/g && rmdir d");
    assertEquals("640 1000 1", Shell.run(directory, "stat -c '%a %Y %h' h"));
    Shell.python(
        directory,
        "os.setxattr('h', 'user.k', b'1'); assert os.getxattr('h', 'user.k') == b'1'\n"
            + "assert os.listxattr('h') == ['user.k']; os.removexattr('h', 'user.k')\n"
            + "assert os.listxattr('h') == []");
    assertEquals(1, Shell.tryRun(directory, "test -e d").exit());
  }

  @Test
  void timeSetBeforeCloseStays() throws Exception {
    Shell.python(
        directory,
        "f=open('t','wb'); f.write(b'x'*1000); f.flush(); os.utime(f.fileno(), (5,5)); f.close()\n"
            + "assert os.stat('t').st_mtime == 5, os.stat('t')");
    assertEquals(5_000_000_000L, inode("t").getMtimeNs());
  }

  @Test
  void createWriteCloseIsTwoRequests() throws Exception {
    Shell.run(directory, "mkdir d && for i in 1 2 3 4; do echo $i > d/$i; done");
    int before = node.total();
    Shell.run(directory, "for i in 5 6 7 8 9; do echo $i > d/$i; done");
    assertEquals(before + 10, node.total(), "CREATE, and WRITE with its commit: " + node.asked());
    assertEquals("9", Shell.run(directory, "cat d/9"));
  }

  @Test
  void coldSmallFileIsOneRequestAndThenNone() throws Exception {
    Shell.run(directory, "true");
    for (int i = 0; i < 20; i++) {
      node.tree().put(Ino.ROOT, "f" + i, ("content " + i).getBytes(StandardCharsets.UTF_8));
    }
    int before = node.total();
    String all = Shell.run(directory, "cat f0 f1 f2 f3 f4 f5 f6 f7 f8 f9");
    assertTrue(all.endsWith("content 9"), all);
    assertEquals(10, node.total() - before, "LOOKUP brings attributes and content");
    Shell.run(directory, "cat f0 f1 f2 f3 f4 f5 f6 f7 f8 f9");
    assertEquals(10, node.total() - before, "nothing is asked twice: " + node.asked());
  }

  @Test
  void H30_listingDoesNotDragContent() throws Exception {
    byte[] content = new byte[100_000];
    for (int i = 0; i < 100; i++) {
      node.tree().put(Ino.ROOT, "f" + i, content);
    }
    assertEquals("100", Shell.run(directory, "ls -l | grep -c f"));
    int before = node.count(Op.LOOKUP) + node.count(Op.GETATTR);
    assertTrue(before < 100, "attributes came with the listing: " + before);
  }

  @Test
  void H05_largeDirectoryIsListedInPages() throws Exception {
    Shell.run(directory, "mkdir big");
    long dir = inode("big").getIno();
    for (int i = 0; i < 5000; i++) {
      node.tree().put(dir, "file-with-a-name-" + i, new byte[0]);
    }
    assertEquals("5000", Shell.run(directory, "ls -f big | grep -c file"));
    assertEquals("5000", Shell.run(directory, "ls -l big | grep -c file"));
    Shell.python(
        directory,
        "names = set(os.listdir('big')); assert len(names) == 5000\n"
            + "it = os.scandir('big'); first = [next(it).name for _ in range(3000)]\n"
            + "rest = [e.name for e in it]; assert len(set(first + rest)) == 5000");
    Shell.run(directory, "rm -r big");
    eventually("all gone", () -> inode("big") == null);
  }

  @Test
  void unlinkedFileLivesWhileOpen() throws Exception {
    Shell.python(
        directory,
        "f = open('u','w+b'); f.write(b'abc'); f.flush(); os.fsync(f.fileno()); os.unlink('u')\n"
            + "f.write(b'def'); f.flush(); f.seek(0); assert f.read() == b'abcdef'\n"
            + "assert os.fstat(f.fileno()).st_nlink == 0\n"
            + "f.close()");
    eventually("reaped", () -> !node.tree().exists(2));
  }

  @Test
  void H26_mappedWritesReachTheNode() throws Exception {
    Shell.python(
        directory,
        "f = open('m','w+b'); f.truncate(10000); m = mmap.mmap(f.fileno(), 10000)\n"
            + "m[5000:5005] = b'hello'; m.flush(); m.close(); f.close()\n"
            + "assert open('m','rb').read()[5000:5005] == b'hello'");
    byte[] there = node.tree().content(inode("m").getIno());
    assertEquals(10000, there.length);
    assertEquals("hello", new String(there, 5000, 5, StandardCharsets.UTF_8));
  }

  @Test
  void readsItsOwnWritesThroughOtherHandles() throws Exception {
    Shell.python(
        directory,
        "w = open('r','wb', buffering=0); w.write(b'a'*100)\n"
            + "assert os.stat('r').st_size == 100\n"
            + "r = open('r','rb', buffering=0); assert r.read(200) == b'a'*100\n"
            + "w.seek(50); w.write(b'b'*100); r.seek(0)\n"
            + "assert r.read(500) == b'a'*50 + b'b'*100\n"
            + "os.ftruncate(w.fileno(), 60); r.seek(0); assert r.read(500) == b'a'*50 + b'b'*10\n"
            + "w.seek(1000000); w.write(b'z'); r.seek(0)\n"
            + "d = r.read(2000000); assert len(d) == 1000001, len(d)\n"
            + "assert d[60:1000000] == bytes(999940) and d[-1:] == b'z'");
  }

  @Test
  void largeFileRoundTrip() throws Exception {
    Shell.run(
        directory,
        "head -c 30000001 /dev/urandom > /tmp/large.$$ && cp /tmp/large.$$ big"
            + " && cmp big /tmp/large.$$; r=$?; rm /tmp/large.$$; exit $r");
    assertEquals(30000001, inode("big").getSize());
    remount(MountConfig.Mode.DEFAULT);
    String sum = Shell.run(directory, "md5sum < big");
    remount(MountConfig.Mode.DATASET);
    assertEquals(sum, Shell.run(directory, "md5sum < big"));
    assertEquals(sum, Shell.run(directory, "dd if=big bs=77777 2>/dev/null | md5sum"));
  }

  @Test
  void randomWritesLikeALocalFile() throws Exception {
    long seed = Long.getLong("seed", System.nanoTime());
    String out =
        Shell.python(
            directory,
            "import random; random.seed("
                + seed
                + "); model = bytearray()\n"
                + "f = open('x','w+b', buffering=0)\n"
                + "for i in range(400):\n"
                + "  k = random.random(); at = random.randrange(600000); n = random.randrange(1, 40000)\n"
                + "  if k < 0.5:\n"
                + "    b = random.randbytes(n); f.seek(at); f.write(b)\n"
                + "    if len(model) < at+n: model.extend(bytes(at+n-len(model)))\n"
                + "    model[at:at+n] = b\n"
                + "  elif k < 0.85:\n"
                + "    f.seek(at); got = f.read(n); want = bytes(model[at:at+n])\n"
                + "    bad = [j for j in range(min(len(got), len(want))) if got[j] != want[j]]\n"
                + "    assert got == want, (i, at, n, len(got), len(want), bad[:1], bad[-1:],"
                + " [got[j] for j in bad[:8]])\n"
                + "  elif k < 0.92:\n"
                + "    f.truncate(at); model = model[:at] if at < len(model) else model + bytes(at-len(model))\n"
                + "  elif k < 0.96: os.fsync(f.fileno())\n"
                + "  else:\n"
                + "    g = open('x','rb'); assert g.read() == bytes(model); g.close()\n"
                + "  assert os.fstat(f.fileno()).st_size == len(model), (i, os.fstat(f.fileno()).st_size, len(model))\n"
                + "f.close(); assert open('x','rb').read() == bytes(model); print('seed', "
                + seed
                + ")");
    assertEquals("seed " + seed, out);
  }

  @Test
  void failedBackgroundWriteIsReported() throws Exception {
    Shell.run(directory, "echo 1 > e");
    node.failWrites(Errno.ENOSPC);
    String out = Shell.tryRun(directory, "dd if=/dev/zero of=e bs=1M count=40 2>&1").output();
    assertTrue(out.contains("No space left"), out);
    node.failWrites(null);
    Shell.run(directory, "echo 3 > e");
    assertEquals("3\n", content("e"));
  }

  private static NoticeItem item(NoticeKind kind, long dir, String name, long ino) {
    return NoticeItem.newBuilder()
        .setKind(kind)
        .setDir(dir)
        .setName(ByteString.copyFromUtf8(name))
        .setIno(ino)
        .build();
  }

  private void push(NoticeItem item) {
    int acks = node.acks.size();
    node.push(Notice.newBuilder().setId(acks + 1).addItems(item).build());
    eventually("acknowledged", () -> node.acks.size() > acks);
  }

  @Test
  void H07_pushedChangesAreSeenAtOnce() throws Exception {
    long ino = node.tree().put(Ino.ROOT, "p", "old".getBytes(StandardCharsets.UTF_8));
    assertEquals("old", Shell.run(directory, "cat p; ls q 2>/dev/null" + "; true"));
    node.tree().replaceContent(ino, "new!".getBytes(StandardCharsets.UTF_8));
    push(item(NoticeKind.CONTENT_CHANGED, Ino.ROOT, "p", ino));
    assertEquals("new!", Shell.run(directory, "cat p"));
    node.tree().put(Ino.ROOT, "q", new byte[5]);
    push(item(NoticeKind.ENTRY_CHANGED, Ino.ROOT, "q", 0));
    assertEquals("5", Shell.run(directory, "stat -c %s q"));
  }

  @Test
  void H10_openFilesAreNamedInTheAnswer() throws Exception {
    long ino = node.tree().put(Ino.ROOT, "o", "data".getBytes(StandardCharsets.UTF_8));
    Process holder = Shell.start(directory, "exec 3<o && echo ready && read x && cat <&3");
    byte[] ready = holder.getInputStream().readNBytes(6);
    assertEquals("ready\n", new String(ready, StandardCharsets.UTF_8));
    push(item(NoticeKind.CONTENT_RECALL, Ino.ROOT, "o", ino));
    assertEquals(java.util.List.of(ino), node.acks.getLast().getOpenList());
    push(item(NoticeKind.ENTRY_DELETED, Ino.ROOT, "o", ino));
    assertEquals(java.util.List.of(ino), node.acks.getLast().getOpenList());
    holder.getOutputStream().write('\n');
    holder.getOutputStream().close();
    assertEquals(
        "data", new String(holder.getInputStream().readAllBytes(), StandardCharsets.UTF_8));
    eventually("reaped at the last close", () -> !node.tree().exists(ino));
  }

  @Test
  void H09_lostLeasesDropEverything() throws Exception {
    long ino = node.tree().put(Ino.ROOT, "l", "old".getBytes(StandardCharsets.UTF_8));
    Shell.run(directory, "cat l");
    node.tree().replaceContent(ino, "changed".getBytes(StandardCharsets.UTF_8));
    node.listener().leasesLost();
    eventually("fenced", () -> shell("cat l").equals("changed"));
    assertEquals("7", Shell.run(directory, "stat -c %s l"));
  }

  private String shell(String script) {
    try {
      return Shell.run(directory, script);
    } catch (java.io.IOException | InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void H22_interruptEndsAReadThatHangs() throws Exception {
    node.tree().put(Ino.ROOT, "h", new byte[300_000]);
    Shell.run(directory, "stat h");
    var answers = new java.util.concurrent.ConcurrentLinkedQueue<Runnable>();
    node.delivery(answers::add);
    Process reader = Shell.start(directory, "cat h > /dev/null");
    eventually("asked", () -> !answers.isEmpty());
    reader.descendants().forEach(ProcessHandle::destroyForcibly);
    assertTrue(reader.waitFor(5, java.util.concurrent.TimeUnit.SECONDS), "killed while waiting");
    node.delivery(Runnable::run);
    answers.forEach(Runnable::run);
  }

  @Test
  void datasetModeNeedsNoOpens() throws Exception {
    for (int i = 0; i < 10; i++) {
      node.tree().put(Ino.ROOT, "d" + i, ("data " + i).getBytes(StandardCharsets.UTF_8));
    }
    remount(MountConfig.Mode.DATASET);
    Shell.run(directory, "cat d* > /dev/null; ls -l > /dev/null");
    int before = node.total();
    long opens = mount.session().requests(io.millrace.fuse.FuseOpcode.OPEN);
    long reads = mount.session().requests(io.millrace.fuse.FuseOpcode.READ);
    Shell.run(directory, "cat d0 d1 d2 d3 d4 d5 d6 d7 d8 d9");
    assertEquals(before, node.total());
    assertEquals(opens, mount.session().requests(io.millrace.fuse.FuseOpcode.OPEN));
    assertEquals(reads, mount.session().requests(io.millrace.fuse.FuseOpcode.READ));
    assertFalse(Shell.tryRun(directory, "echo x > d0").exit() == 0);
  }

  @Test
  void forgottenInodesGiveTheirLeasesBack() throws Exception {
    node.tree().put(Ino.ROOT, "g", new byte[10]);
    Shell.run(directory, "cat g > /dev/null");
    Shell.run(directory, "mv g g2; rm g2");
    eventually("released", () -> node.count(Op.RELEASE_LEASES) > 0);
  }

  @Test
  void parallelReadersGetTheirBytes() throws Exception {
    byte[] bytes = new byte[9 << 20];
    new SplittableRandom(7).nextBytes(bytes);
    long ino = node.tree().put(Ino.ROOT, "par", bytes);
    Shell.run(
        directory,
        "for i in 1 2 3 4 5 6; do md5sum < par > /tmp/par.$$.$i & done; wait;"
            + " cat /tmp/par.$$.* | sort -u | wc -l > /tmp/par.$$; n=$(cat /tmp/par.$$);"
            + " rm /tmp/par.$$*; test $n -eq 1");
    assertArrayEquals(bytes, node.tree().content(ino));
  }
}
