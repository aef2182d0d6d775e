package io.millrace.meta;

import static io.millrace.meta.NamespaceFixture.ROOT;
import static io.millrace.meta.NamespaceFixture.bytes;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.proto.CloseSession;
import io.millrace.proto.Command;
import io.millrace.proto.CommandResult;
import io.millrace.proto.Create;
import io.millrace.proto.Inode;
import io.millrace.proto.OpenSession;
import io.millrace.proto.ReapOrphan;
import io.millrace.proto.RemoveXattr;
import io.millrace.proto.SetAttr;
import io.millrace.proto.SetXattr;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Names, inodes, sessions: everything outside links. */
class NamesTest {
  @TempDir Path directory;
  private NamespaceFixture fs;

  @BeforeEach
  void open() {
    fs = new NamespaceFixture(directory.resolve("meta"));
  }

  @AfterEach
  void close() {
    fs.close();
  }

  @Test
  void createLookupListAndReopen() {
    long dir = fs.dir(ROOT, "d");
    long file = fs.file(dir, "f");
    fs.file(dir, "a");
    assertEquals(List.of("a", "f"), fs.names(dir));
    fs.reopen();
    Inode found = fs.namespace.lookup(dir, bytes("f")).orElseThrow();
    assertEquals(file, found.getIno());
    assertEquals(found, fs.inode(file));
    assertEquals(0100644, found.getMode());
    assertEquals(7, found.getUid());
    assertEquals(2, fs.inode(dir).getChildren());
    assertEquals(3, fs.inode(ROOT).getNlink());
    assertEquals(4, fs.namespace.inodes());
    assertEquals(List.of(bytes("d"), bytes("f")), fs.namespace.path(file));
    assertEquals(file, fs.at("/d/f").getIno());
  }

  @Test
  void errnosAreThoseOfLinux() {
    long dir = fs.dir(ROOT, "d");
    long file = fs.file(ROOT, "f");
    fs.file(dir, "in");
    assertEquals(Errno.EEXIST, fs.errno(fs.creating(ROOT, "f")));
    assertEquals(Errno.EEXIST, fs.errno(fs.makingDir(ROOT, "f")));
    assertEquals(Errno.ENOTDIR, fs.errno(fs.creating(file, "x")));
    assertEquals(Errno.ESTALE, fs.errno(fs.creating(999, "x")));
    assertEquals(Errno.ENAMETOOLONG, fs.errno(fs.creating(ROOT, "n".repeat(256))));
    assertEquals(Errno.EINVAL, fs.errno(fs.creating(ROOT, "a/b")));
    assertEquals(Errno.EEXIST, fs.errno(fs.creating(ROOT, "..")));
    assertEquals(Errno.EISDIR, fs.errno(fs.unlinking(ROOT, "d", false)));
    assertEquals(Errno.ENOTDIR, fs.errno(fs.removingDir(ROOT, "f")));
    assertEquals(Errno.ENOTEMPTY, fs.errno(fs.removingDir(ROOT, "d")));
    assertEquals(Errno.ENOENT, fs.errno(fs.unlinking(ROOT, "none", false)));
    assertEquals(Errno.EPERM, fs.errno(fs.linking(dir, ROOT, "l")));
    assertEquals(Errno.EISDIR, fs.errno(fs.renaming(ROOT, "f", ROOT, "d", 0)));
    assertEquals(Errno.ENOTDIR, fs.errno(fs.renaming(ROOT, "d", ROOT, "f", 0)));
    assertEquals(Errno.EEXIST, fs.errno(fs.renaming(ROOT, "f", ROOT, "d", 1)));
    assertEquals(Errno.EINVAL, fs.errno(fs.renaming(ROOT, "f", ROOT, "g", 3)));
    assertEquals(Errno.EISDIR, fs.errno(fs.resizing(dir, 1)));
    assertEquals(
        "n".repeat(255),
        fs.ok(fs.creating(ROOT, "n".repeat(255))).getInode().getName().toStringUtf8());
    assertThrows(FsException.class, () -> fs.inode(999));
  }

  @Test
  void failedCommandLeavesNoTrace() {
    long before = fs.namespace.inodes();
    assertEquals(
        Errno.EINVAL,
        fs.errno(
            fs.command()
                .setCreate(Create.newBuilder().setDir(ROOT).setName(bytes("s")).setMode(0120777))));
    assertEquals(before, fs.namespace.inodes());
    assertFalse(fs.exists("/s"));
  }

  @Test
  void renameReplacesAndExchanges() {
    long a = fs.file(ROOT, "a");
    long dir = fs.dir(ROOT, "d");
    long b = fs.file(dir, "b");
    assertEquals(b, fs.ok(fs.renaming(ROOT, "a", dir, "b", 0)).getReplaced().getIno());
    assertEquals(a, fs.at("/d/b").getIno());
    assertThrows(FsException.class, () -> fs.inode(b));
    assertEquals(Errno.EINVAL, fs.errno(fs.renaming(dir, "b", ROOT, "d", 2)));
    fs.file(ROOT, "e");
    fs.ok(fs.renaming(ROOT, "e", ROOT, "d", 2));
    assertEquals(a, fs.at("/e/b").getIno());
    assertEquals(Errno.ENOENT, fs.errno(fs.renaming(ROOT, "d", ROOT, "x", 2)));
  }

  @Test
  void H31_directoryNeverMovesIntoItself() {
    long a = fs.dir(ROOT, "a");
    long b = fs.dir(a, "b");
    long c = fs.dir(b, "c");
    assertEquals(Errno.EINVAL, fs.errno(fs.renaming(ROOT, "a", c, "x", 0)));
    assertEquals(Errno.EINVAL, fs.errno(fs.renaming(ROOT, "a", a, "x", 0)));
    assertEquals(Errno.EINVAL, fs.errno(fs.renaming(b, "c", ROOT, "a", 2)));
    assertEquals(Errno.ENOTEMPTY, fs.errno(fs.renaming(b, "c", ROOT, "a", 0)));
    fs.ok(fs.renaming(a, "b", ROOT, "b", 0));
    assertEquals(4, fs.inode(ROOT).getNlink());
    assertEquals(List.of(bytes("b"), bytes("c")), fs.namespace.path(c));
  }

  @Test
  void H04_hardLinksKeepTheInode() {
    long file = fs.file(ROOT, "a");
    long dir = fs.dir(ROOT, "d");
    fs.ok(fs.linking(file, dir, "b"));
    assertEquals(2, fs.at("/a").getNlink());
    assertEquals(file, fs.at("/d/b").getIno());
    fs.ok(fs.resizing(file, 10));
    assertEquals(10, fs.at("/a").getSize());
    fs.ok(fs.renaming(ROOT, "a", dir, "b", 0)); // same inode: nothing happens
    assertEquals(2, fs.at("/a").getNlink());
    fs.ok(fs.unlinking(ROOT, "a", false));
    assertEquals(1, fs.inode(file).getNlink());
    assertEquals(List.of(bytes("d"), bytes("b")), fs.namespace.path(file));
    fs.ok(fs.unlinking(dir, "b", false));
    assertThrows(FsException.class, () -> fs.inode(file));
  }

  @Test
  void H05_cookiesStayWithTheirNames() {
    fs.file(ROOT, "b");
    long cookie = fs.at("/b").getCookie();
    fs.file(ROOT, "a");
    assertNotEquals(cookie, fs.at("/a").getCookie());
    assertEquals(bytes("b"), fs.namespace.nameAt(ROOT, cookie).orElseThrow());
    fs.reopen();
    assertEquals(bytes("b"), fs.namespace.nameAt(ROOT, cookie).orElseThrow());
    fs.ok(fs.unlinking(ROOT, "b", false));
    assertEquals(bytes("b"), fs.namespace.nameAt(ROOT, cookie).orElseThrow());
    fs.reopen();
    assertTrue(fs.namespace.nameAt(ROOT, cookie).isEmpty(), "only a memory");
    fs.file(ROOT, "b");
    assertNotEquals(cookie, fs.at("/b").getCookie());
  }

  @Test
  void H06_retriedCommandGetsItsFirstAnswer() {
    CommandResult opened =
        fs.ok(fs.command().setOpenSession(OpenSession.newBuilder().setClient("host:1")));
    long session = opened.getSession();
    Command mkdir = fs.makingDir(ROOT, "d").setSession(session).setSequence(1).build();
    CommandResult first = fs.namespace.apply(mkdir, false);
    assertEquals(first, fs.namespace.apply(mkdir, false));
    fs.reopen();
    assertEquals(first, fs.namespace.apply(mkdir, true));
    Command failing = fs.makingDir(ROOT, "d").setSession(session).setSequence(2).build();
    CommandResult refused = fs.namespace.apply(failing, false);
    assertEquals(Errno.EEXIST.code(), refused.getErrno());
    fs.ok(fs.removingDir(ROOT, "d"));
    assertEquals(refused, fs.namespace.apply(failing, false));
    Command far = fs.makingDir(ROOT, "far").setSession(session).setSequence(1 + 1024).build();
    assertEquals(0, fs.namespace.apply(far, false).getErrno());
    assertEquals(Errno.EPROTO.code(), fs.namespace.apply(mkdir, false).getErrno());
    assertEquals(1, fs.namespace.sessions().size());
    fs.ok(fs.command().setCloseSession(CloseSession.newBuilder().setSession(session)));
    assertEquals(Errno.ENOTCONN.code(), fs.namespace.apply(far, false).getErrno());
    assertEquals(List.of(), fs.namespace.sessions());
  }

  @Test
  void H10_openButUnlinkedLivesUntilReaped() {
    long session = fs.ok(fs.command().setOpenSession(OpenSession.newBuilder())).getSession();
    long file = fs.file(ROOT, "a");
    fs.ok(fs.committing(file, NamespaceFixture.extent(0, 100, 1L << 32, 0)));
    long other = fs.file(ROOT, "b");
    fs.ok(fs.unlinking(ROOT, "a", true).setSession(session).setSequence(1));
    fs.ok(fs.unlinking(ROOT, "b", true));
    assertEquals(List.of(file, other), fs.namespace.orphans());
    assertEquals(0, fs.inode(file).getNlink());
    fs.reopen();
    assertEquals(100, fs.namespace.extents(file, 0, 1).getFirst().getLength());
    fs.ok(fs.resizing(file, 50));
    fs.ok(fs.command().setCloseSession(CloseSession.newBuilder().setSession(session)));
    assertEquals(List.of(other), fs.namespace.orphans());
    assertThrows(FsException.class, () -> fs.inode(file));
    assertTrue(fs.namespace.garbage(10).getLast().getWholeVersion());
    fs.ok(fs.command().setReapOrphan(ReapOrphan.newBuilder().addIno(other)));
    assertEquals(List.of(), fs.namespace.orphans());
    assertEquals(1, fs.namespace.inodes());
  }

  @Test
  void xattrsAndSymlinks() {
    Create.Builder symlink =
        Create.newBuilder()
            .setDir(ROOT)
            .setName(bytes("l"))
            .setMode(0120777)
            .setTarget(bytes("to/there"));
    long link = fs.ok(fs.command().setCreate(symlink)).getInode().getIno();
    assertEquals(bytes("to/there"), fs.namespace.readlink(link));
    assertEquals(8, fs.inode(link).getSize());
    SetXattr.Builder user =
        SetXattr.newBuilder().setIno(link).setName(bytes("user.a")).setValue(bytes("1"));
    assertEquals(Errno.EPERM, fs.errno(fs.command().setSetXattr(user)));
    SetXattr.Builder set =
        SetXattr.newBuilder().setIno(link).setName(bytes("trusted.a")).setValue(bytes("1"));
    assertEquals(Errno.ENODATA, fs.errno(fs.command().setSetXattr(set.clone().setFlags(2))));
    fs.ok(fs.command().setSetXattr(set));
    assertEquals(Errno.EEXIST, fs.errno(fs.command().setSetXattr(set.clone().setFlags(1))));
    assertEquals(bytes("1"), fs.namespace.xattr(link, bytes("trusted.a")).orElseThrow());
    assertEquals(List.of(bytes("trusted.a")), fs.namespace.xattrNames(link));
    RemoveXattr.Builder remove = RemoveXattr.newBuilder().setIno(link).setName(bytes("trusted.a"));
    fs.ok(fs.command().setRemoveXattr(remove));
    assertEquals(Errno.ENODATA, fs.errno(fs.command().setRemoveXattr(remove)));
    assertThrows(FsException.class, () -> fs.namespace.readlink(ROOT));
  }

  @Test
  void listGoesOnAfterAName() {
    for (String name : List.of("a", "b", "b1", "c")) {
      fs.file(ROOT, name);
    }
    var names = new java.util.ArrayList<String>();
    assertFalse(fs.namespace.list(ROOT, bytes("a"), 2, e -> names.add(e.getName().toStringUtf8())));
    assertEquals(List.of("b", "b1"), names);
    assertTrue(fs.namespace.list(ROOT, bytes("b1"), 1, e -> names.add(e.getName().toStringUtf8())));
    assertThrows(FsException.class, () -> fs.namespace.list(99, ByteString.EMPTY, 1, e -> {}));
  }

  @Test
  void setgidDirectoryPassesItsGroupOn() {
    long dir = fs.dir(ROOT, "d");
    fs.ok(fs.command().setSetAttr(SetAttr.newBuilder().setIno(dir).setMode(02775).setGid(42)));
    long sub = fs.dir(dir, "s");
    assertEquals(42, fs.inode(sub).getGid());
    assertEquals(0042755, fs.inode(sub).getMode());
    assertEquals(42, fs.inode(fs.file(sub, "f")).getGid());
  }

  @Test
  void H13_blocksAreSyncedBeforeTheCommandThatNamesThem() {
    int before = fs.blockSyncs.get();
    CommandResult result = fs.namespace.apply(fs.creating(ROOT, "f").build(), true);
    assertEquals(0, result.getErrno());
    assertTrue(fs.blockSyncs.get() > before);
  }

  @Test
  void H13_failedBlockSyncFailsTheCommand() {
    var config =
        new NamespaceConfig(
            directory.resolve("other"),
            16L << 20,
            8L << 20,
            0,
            () -> {
              throw new FsException(Errno.EIO, "disk is gone");
            });
    try (var namespace = new RocksNamespace(config)) {
      assertEquals(
          Errno.EIO.code(), namespace.apply(fs.creating(ROOT, "f").build(), true).getErrno());
      assertTrue(namespace.lookup(ROOT, bytes("f")).isEmpty());
      assertEquals(0, namespace.apply(fs.creating(ROOT, "f").build(), false).getErrno());
    }
  }

  @Test
  void secondProcessOnTheDirectoryIsRefused() {
    FsException refused =
        assertThrows(
            FsException.class,
            () -> new RocksNamespace(NamespaceConfig.of(directory.resolve("meta"), () -> {})));
    assertEquals(Errno.EBUSY, refused.errno());
  }

  @Test
  void manyThreadsShareBatches() throws InterruptedException {
    var threads = new java.util.ArrayList<Thread>();
    var failures = new java.util.concurrent.ConcurrentLinkedQueue<String>();
    for (int t = 0; t < 4; t++) {
      int thread = t;
      threads.add(
          Thread.ofPlatform()
              .start(
                  () -> {
                    for (int i = 0; i < 500; i++) {
                      Create.Builder create =
                          Create.newBuilder()
                              .setDir(ROOT)
                              .setName(bytes(thread + "-" + i))
                              .setMode(0100600)
                              .setExclusive(true);
                      CommandResult made =
                          fs.namespace.apply(
                              Command.newBuilder().setFormat(1).setCreate(create).build(), false);
                      if (made.getErrno() != 0
                          || fs.namespace.inode(made.getInode().getIno()).getNlink() != 1) {
                        failures.add(made.toString());
                      }
                    }
                  }));
    }
    for (Thread thread : threads) {
      thread.join();
    }
    assertEquals(List.of(), List.copyOf(failures));
    assertEquals(2000, fs.inode(ROOT).getChildren());
    assertEquals(2000, fs.names(ROOT).size());
  }

  @Test
  void otherShardsHaveNoRoot() {
    var config = new NamespaceConfig(directory.resolve("shard"), 16L << 20, 8L << 20, 3, () -> {});
    try (var namespace = new RocksNamespace(config)) {
      assertEquals(0, namespace.inodes());
      assertThrows(FsException.class, () -> namespace.inode(ROOT));
    }
  }
}
