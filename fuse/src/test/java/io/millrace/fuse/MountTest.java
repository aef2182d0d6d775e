package io.millrace.fuse;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** An in-memory tree really mounted, used by real programs. */
@Tag("mount")
@Timeout(120)
class MountTest extends Mounted {
  private final MemoryTree tree = new MemoryTree();

  @BeforeEach
  void mountTree() throws Exception {
    mount(tree);
  }

  @Test
  void writesAndReads() throws Exception {
    assertEquals("hello", sh("echo hello > a && cat a"));
    assertEquals("hello\nmore", sh("echo more >> a && cat a"));
    assertEquals("x", sh("echo x > a && cat a"));
  }

  @Test
  void treesOfDirectories() throws Exception {
    sh("mkdir -p a/b/c && echo 1 > a/b/c/f && mv a/b z && cat z/c/f && rm -r z && rmdir a");
    assertEquals("", sh("ls"));
    eventually(() -> tree.nodeCount() == 1, "removed nodes are forgotten");
  }

  @Test
  void tenThousandEntriesAreListedOnce() throws Exception {
    String made = sh("mkdir d && cd d && seq -f f%g 10000 | xargs touch && ls -f | wc -l");
    assertEquals("10002", made);
    assertEquals("10000", sh("ls -l d | grep -c f"));
    assertEquals("10000", sh("find d -name 'f*' | sort -u | wc -l"));
    assertTrue(session.requests(FuseOpcode.READDIRPLUS) > 0);
    assertEquals("0", sh("rm -r d; ls | wc -l"));
  }

  @Test
  void copiesAreEqual() throws Exception {
    sh("cp -r /etc/ssl ./copy && diff -r /etc/ssl ./copy");
    sh("head -c 20000000 /dev/urandom > big && cp big big2 && cmp big big2");
    String md5 = sh("md5sum < big");
    Shell.run(dir, "echo 2 > /proc/sys/vm/drop_caches");
    assertEquals(md5, sh("md5sum < big2"));
  }

  @Test
  void writesAreOneMebibyte() throws Exception {
    assertEquals(1 << 20, session.features().maxWriteBytes());
    sh("dd if=/dev/zero of=z bs=4M count=5 2>&1");
    assertEquals(20, session.requests(FuseOpcode.WRITE));
  }

  @Test
  void linksAndSymlinks() throws Exception {
    assertEquals("t/../a", sh("ln -s t/../a s && readlink s"));
    assertEquals("2", sh("echo 1 > a && ln a b && stat -c %h b"));
    assertEquals("1\n1", sh("cat b && rm a && cat b && rm b && rm s"));
  }

  @Test
  void renameHonoursNoReplace() throws Exception {
    assertEquals("2", sh("echo 1 > a && echo 2 > b && mv -n a b && cat b && test -e a && rm a b"));
    assertEquals("1", sh("echo 1 > a && echo 2 > b && mv a b && cat b && ls | wc -l | grep -q 1"));
  }

  @Test
  void sizesTimesModesAndOwners() throws Exception {
    assertEquals("5000", sh("echo abc > a && truncate -s 5000 a && stat -c %s a"));
    assertEquals("4996", sh("tail -c +4 a | tr -d '\\n' | wc -c"));
    assertEquals("2", sh("truncate -s 2 a && wc -c < a"));
    assertEquals("640 7 8", sh("chmod 640 a && chown 7:8 a && stat -c '%a %u %g' a"));
    assertEquals("1000000000.123456789", sh("touch -d @1000000000.123456789 a && stat -c %.9Y a"));
    assertEquals("86400", sh("stat -c %W a"));
    assertEquals("fifo", sh("mkfifo p && stat -c %F p"));
    assertEquals("2:3", sh("mknod d c 2 3 && stat -c %Hr:%Lr d"));
    assertEquals("4096", sh("stat -f -c %S ."));
  }

  @Test
  void extendedAttributes() throws Exception {
    String script =
        """
        import os
        open('a','w').close()
        os.setxattr('a', 'user.k', b'v1')
        os.setxattr('a', 'user.l', b'x' * 5000)
        print(os.getxattr('a', 'user.k'), len(os.getxattr('a', 'user.l')), os.listxattr('a'))
        os.removexattr('a', 'user.k')
        print(os.listxattr('a'))
        try: os.getxattr('a', 'user.k')
        except OSError as e: print(e.errno)
        """;
    assertEquals("b'v1' 5000 ['user.k', 'user.l']\n['user.l']\n61", python(script));
  }

  @Test
  void mmapAndUnnamedFiles() throws Exception {
    String script =
        """
        import mmap, os
        with open('m', 'w+b') as f:
            f.truncate(100000)
            with mmap.mmap(f.fileno(), 100000) as m:
                m[70000:70005] = b'hello'
                m.flush()
            f.seek(70000)
            print(f.read(5))
        fd = os.open('.', os.O_TMPFILE | os.O_RDWR)
        os.write(fd, b'abc')
        print(os.pread(fd, 9, 0), os.fstat(fd).st_nlink, os.listdir('.'))
        """;
    assertEquals("b'hello'\nb'abc' 0 ['m']", python(script));
  }

  private String python(String script) throws Exception {
    return sh("python3 - <<'END'\n" + script + "END");
  }

  @Test
  void withTheKernelsWritebackCache() throws Exception {
    session.close();
    var other = new MemoryTree();
    mount(other, FuseConfig.at(dir).workers(3).writebackCache(true));
    assertTrue(session.features().has(InitFlags.WRITEBACK_CACHE));
    sh("for i in 1 2 3 4 5 6 7 8; do echo line $i >> a; done; sync a");
    assertEquals(56, other.find("a").size);
    assertEquals("8", sh("grep -c line a"));
  }

  @Test
  void openUnlinkedFilesStayReadable() throws Exception {
    assertEquals("kept", sh("echo kept > a && exec 3< a && rm a && cat <&3"));
    eventually(() -> tree.nodeCount() == 1, "and go when closed");
  }

  @Test
  void manyProcessesAtOnce() throws Exception {
    sh("for i in 1 2 3 4 5 6 7 8; do (mkdir d$i && cp -r /etc/ssl d$i/ && rm -r d$i) & done; wait");
    assertEquals("", sh("ls"));
    eventually(() -> tree.nodeCount() == 1, "nothing is left");
  }

  @Test
  void H27_askedForAndNegotiated() {
    FuseFeatures f = session.features();
    assertTrue(f.maxBackground() >= 256);
    assertTrue(f.has(InitFlags.ASYNC_READ | InitFlags.MAX_PAGES));
    assertNotEquals(0, f.flags() & InitFlags.PARALLEL_DIROPS);
    assertEquals(0, f.flags() & (InitFlags.AUTO_INVAL_DATA | InitFlags.WRITEBACK_CACHE));
  }
}
