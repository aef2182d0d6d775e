package io.millrace.client.mount;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Operations as Linux local file systems have them, on real mounts of a real node. As root. */
@Tag("mount")
final class PosixTest {
  private static final String PRELUDE =
      """
      import ctypes, errno, stat, struct
      libc = ctypes.CDLL(None, use_errno=True)
      libc.fallocate.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64]
      KEEP, PUNCH, COLLAPSE, ZERO = 1, 2, 8, 16
      def check(result, what):
        if result != 0: raise OSError(ctypes.get_errno(), what)
      def allocate(fd, mode, at, length): check(libc.fallocate(fd, mode, at, length), 'fallocate')
      def name_it(fd, name):
        check(libc.linkat(-100, b'/proc/self/fd/%d' % fd, -100, name, 0x400), 'linkat')
      def refused(call, *args, **more):
        try: call(*args, **more)
        except OSError as e: return errno.errorcode[e.errno]
        return 'done'
      def child(uid, body):
        if os.fork() == 0:
          code = 1
          try:
            os.setgroups([]); os.setgid(uid); os.setuid(uid); body(); code = 0
          finally: os._exit(code)
        assert os.wait()[1] == 0
      def same(got, *wanted): assert got in wanted, (got, wanted)
      """;

  private RealNode real;
  private Path a;

  @BeforeEach
  void start() throws Exception {
    real = new RealNode();
    a = real.mount("a");
  }

  @AfterEach
  void stop() throws Exception {
    real.close();
  }

  private void python(String script) throws Exception {
    Shell.python(a, PRELUDE + script);
  }

  @Test
  void fallocateGrowsPunchesAndZeroes() throws Exception {
    python(
        """
        f = open('a', 'w+b', buffering=0); fd = f.fileno(); f.write(b'x' * 20000)
        allocate(fd, PUNCH | KEEP, 4096, 8192); f.seek(0)
        assert f.read() == b'x' * 4096 + bytes(8192) + b'x' * 7712
        allocate(fd, 0, 0, 100000); assert os.fstat(fd).st_size == 100000
        allocate(fd, KEEP, 0, 200000); assert os.fstat(fd).st_size == 100000
        allocate(fd, ZERO, 0, 100); allocate(fd, ZERO, 99990, 100); f.seek(0)
        assert os.fstat(fd).st_size == 100090 and f.read(101) == bytes(100) + b'x'
        same(refused(allocate, fd, COLLAPSE, 0, 4096), 'ENOTSUP', 'EOPNOTSUPP')
        same(refused(allocate, fd, 0, 0, 0), 'EINVAL')
        same(refused(allocate, fd, 0, 1 << 62, 1 << 62), 'EFBIG')
        same(refused(allocate, fd, 0, 0, 1 << 45), 'ENOSPC')
        same(refused(allocate, os.open('a', os.O_RDONLY), 0, 0, 1), 'EBADF')
        """);
  }

  @Test
  void fallocateSeesWhatWasWrittenAndMapped() throws Exception {
    python(
        """
        f = open('b', 'w+b', buffering=0); fd = f.fileno()
        for i in range(10): f.write(bytes([65 + i]) * 100000)
        m = mmap.mmap(fd, 1000000); m[500000:500010] = b'0123456789'
        allocate(fd, PUNCH | KEEP, 100, 500); allocate(fd, PUNCH | KEEP, 499990, 15)
        f.seek(0); d = f.read(); assert d[99:601] == b'A' + bytes(500) + b'A'
        assert d[499989:500010] == b'E' + bytes(15) + b'56789', d[499989:500010]
        assert m[:] == d; f.write(b'end'); f.close(); assert open('b', 'rb').read() == d + b'end'
        """);
    assertEquals("1000003", Shell.run(a, "stat -c %s b"));
  }

  @Test
  void seekFindsDataAndHoles() throws Exception {
    python(
        """
        fd = os.open('s', os.O_RDWR | os.O_CREAT); os.ftruncate(fd, 1 << 40)
        same(refused(os.lseek, fd, 0, os.SEEK_DATA), 'ENXIO')
        os.pwrite(fd, b'x' * 10000, 300 << 30); os.pwrite(fd, b'y', 0)
        assert os.lseek(fd, 0, os.SEEK_DATA) == 0 and os.lseek(fd, 0, os.SEEK_HOLE) == 1
        assert os.lseek(fd, 1, os.SEEK_DATA) == 300 << 30
        assert os.lseek(fd, 301 << 30, os.SEEK_HOLE) == 301 << 30
        assert os.lseek(fd, (300 << 30) + 5, os.SEEK_DATA) == (300 << 30) + 5
        assert os.lseek(fd, 300 << 30, os.SEEK_HOLE) == (300 << 30) + 10000
        same(refused(os.lseek, fd, 301 << 30, os.SEEK_DATA), 'ENXIO')
        same(refused(os.lseek, fd, 1 << 40, os.SEEK_HOLE), 'ENXIO')
        f = open('full', 'w+b', buffering=0); f.write(b'z' * 100000)
        assert os.lseek(f.fileno(), 7, os.SEEK_DATA) == 7
        assert os.lseek(f.fileno(), 7, os.SEEK_HOLE) == 100000
        """);
  }

  @Test
  void copyFileRangeCopiesInsideTheNode() throws Exception {
    python(
        """
        blob = os.urandom(20000001); src = os.open('src', os.O_RDWR | os.O_CREAT)
        os.write(src, blob); dst = os.open('dst', os.O_RDWR | os.O_CREAT); done = 0
        while (n := os.copy_file_range(src, dst, 1 << 30, done, done)) > 0: done += n
        assert done == len(blob) and open('dst', 'rb').read() == blob
        os.pwrite(dst, b'dirty', 10); assert os.copy_file_range(dst, dst, 100, 0, 30000000) == 100
        want = blob[:10] + b'dirty' + blob[15:100]
        assert os.pread(dst, 100, 30000000) == want and os.fstat(dst).st_size == 30000100
        assert os.pread(dst, 10, 25000000) == bytes(10)
        assert os.copy_file_range(src, dst, 10, 20000001, 0) == 0
        """);
    assertTrue(real.counters().get("node.requests.copy") > 1, real.counters().toString());
  }

  @Test
  void tmpfileHasNoNameUntilItIsLinked() throws Exception {
    python(
        """
        t = os.open('.', os.O_TMPFILE | os.O_RDWR, 0o640); os.write(t, b'hello')
        s = os.fstat(t); assert s.st_nlink == 0 and stat.S_IMODE(s.st_mode) == 0o640
        assert os.listdir('.') == []; name_it(t, b'named')
        assert open('named').read() == 'hello' and os.stat('named').st_nlink == 1
        os.write(t, b' you'); os.close(t); assert open('named').read() == 'hello you'
        t = os.open('.', os.O_TMPFILE | os.O_RDWR | os.O_EXCL, 0o600)
        same(refused(name_it, t, b'other'), 'ENOENT'); os.close(t)
        f = open('gone', 'w'); os.unlink('gone')
        same(refused(name_it, f.fileno(), b'other'), 'ENOENT'); f.close()
        """);
    long end = System.nanoTime() + 20_000_000_000L;
    while (!real.namespace().orphans().isEmpty()) {
      assertTrue(System.nanoTime() < end, "unnamed files are freed after their close");
      java.util.concurrent.locks.LockSupport.parkNanos(5_000_000);
    }
  }

  @Test
  void xattrNamespacesAndLimits() throws Exception {
    python(
        """
        open('x', 'w').close(); os.symlink('x', 's'); os.mkfifo('p')
        same(refused(os.setxattr, 'x', 'foo.bar', b'1'), 'ENOTSUP', 'EOPNOTSUPP')
        same(refused(os.getxattr, 'x', 'foo.bar'), 'ENOTSUP', 'EOPNOTSUPP')
        same(refused(os.setxattr, 'x', 'user.', b'1'), 'EINVAL')
        same(refused(os.setxattr, 's', 'user.a', b'1', follow_symlinks=False), 'EPERM')
        same(refused(os.setxattr, 'p', 'user.a', b'1'), 'EPERM')
        same(refused(os.setxattr, 'x', 'user.a', bytes(65537)), 'E2BIG')
        same(refused(os.setxattr, 'x', 'user.' + 'a' * 251, b'1'), 'ERANGE')
        same(refused(os.getxattr, 'x', 'user.none'), 'ENODATA')
        same(refused(os.removexattr, 'x', 'user.none'), 'ENODATA')
        same(refused(os.setxattr, 'x', 'user.a', b'1', os.XATTR_REPLACE), 'ENODATA')
        os.setxattr('x', 'user.a', bytes(65536)); assert os.getxattr('x', 'user.a') == bytes(65536)
        same(refused(os.setxattr, 'x', 'user.a', b'1', os.XATTR_CREATE), 'EEXIST')
        assert libc.getxattr(b'x', b'user.a', ctypes.create_string_buffer(10), 10) == -1
        assert ctypes.get_errno() == errno.ERANGE
        os.setxattr('x', 'trusted.t', b'1'); assert os.listxattr('x') == ['trusted.t', 'user.a']
        def other():
          assert os.listxattr('x') == ['user.a']
          same(refused(os.getxattr, 'x', 'trusted.t'), 'ENODATA')
          same(refused(os.setxattr, 'x', 'trusted.u', b'1'), 'EPERM')
          same(refused(os.setxattr, 'x', 'user.b', b'1'), 'EACCES')
        os.chmod('.', 0o755); child(1001, other)
        """);
  }

  @Test
  void aclsDecideAndFollowTheMode() throws Exception {
    python(
        """
        def acl(*entries):
          return struct.pack('<I', 2) + b''.join(struct.pack('<HHI', *e) for e in entries)
        none = 0xffffffff
        def five(u, named, g, m, o):
          return acl((1, u, none), (2, named, 1001), (4, g, none), (16, m, none), (32, o, none))
        ACCESS, DEFAULT = 'system.posix_acl_access', 'system.posix_acl_default'
        os.umask(0o022); os.chmod('.', 0o755); mode = lambda f: stat.S_IMODE(os.stat(f).st_mode)
        with open('f', 'w') as f: f.write('secret')
        os.chmod('f', 0o600); child(1001, lambda: same(refused(open, 'f'), 'EACCES'))
        os.setxattr('f', ACCESS, five(6, 4, 0, 4, 0)); assert mode('f') == 0o640
        child(1001, lambda: open('f').read()); child(1002, lambda: same(refused(open, 'f'), 'EACCES'))
        os.chmod('f', 0o600); child(1001, lambda: same(refused(open, 'f'), 'EACCES'))
        assert os.getxattr('f', ACCESS) == five(6, 4, 0, 0, 0)
        os.mkdir('d'); same(refused(os.setxattr, 'f', DEFAULT, five(7, 7, 5, 7, 0)), 'EACCES')
        os.setxattr('d', DEFAULT, five(7, 7, 5, 7, 0)); os.umask(0o077)
        open('d/f', 'w').close(); assert mode('d/f') == 0o660, oct(mode('d/f'))
        os.mkdir('d/e'); assert os.getxattr('d/e', DEFAULT) == five(7, 7, 5, 7, 0)
        open('plain', 'w').close(); assert mode('plain') == 0o600
        os.removexattr('d', DEFAULT); open('d/g', 'w').close(); assert mode('d/g') == 0o600
        same(refused(os.getxattr, 'd/g', ACCESS), 'ENODATA')
        """);
  }

  @Test
  void writesAndOwnersClearSetuid() throws Exception {
    python(
        """
        mode = lambda f: stat.S_IMODE(os.stat(f).st_mode)
        os.chmod('.', 0o777)
        def make():
          with open('f', 'w') as f: f.write('x' * 10)
          os.chown('f', 0, 0); os.chmod('f', 0o6777)
        def write():
          fd = os.open('f', os.O_WRONLY); os.write(fd, b'y'); os.close(fd)
        def cut(): os.truncate('f', 5)
        def punch():
          fd = os.open('f', os.O_WRONLY); allocate(fd, PUNCH | KEEP, 0, 5); os.close(fd)
        def mapped():
          fd = os.open('f', os.O_RDWR); os.ftruncate(fd, 3); os.close(fd)
        def copy():
          fd = os.open('f', os.O_RDWR); os.copy_file_range(fd, fd, 3, 0, 5); os.close(fd)
        for change in (write, cut, punch, mapped, copy):
          make(); assert mode('f') == 0o6777; change(); same(oct(mode('f')), '0o6777')
          child(1001, change); assert mode('f') == 0o777, (change, oct(mode('f')))
        make(); os.chown('f', 5, 5); assert mode('f') == 0o777
        make(); os.chown('f', -1, -1); assert mode('f') == 0o777
        make(); os.chmod('f', 0o2666); os.chown('f', 5, 5); assert mode('f') == 0o2666
        os.mkdir('g'); os.chown('g', 0, 7); os.chmod('g', 0o2777); open('g/f', 'w').close()
        os.mkdir('g/d'); assert os.stat('g/f').st_gid == 7 and mode('g/d') & 0o2000
        """);
  }

  @Test
  void sizesUpToTheLimit() throws Exception {
    python(
        """
        top = (1 << 63) - 1; fd = os.open('huge', os.O_RDWR | os.O_CREAT)
        os.ftruncate(fd, top); assert os.fstat(fd).st_size == top
        assert os.pread(fd, 100, top - 100) == bytes(100)
        os.pwrite(fd, b'end', 1 << 62); assert os.pread(fd, 5, (1 << 62) - 1) == b'\\0end\\0'
        os.fsync(fd); os.pwrite(fd, b'z', top - 1); assert os.pread(fd, 2, top - 2) == b'\\0z'
        os.ftruncate(fd, 10); assert os.fstat(fd).st_size == 10; os.ftruncate(fd, top)
        assert os.pread(fd, 5, 1 << 62) == bytes(5)
        """);
  }

  @Test
  void namesAndPathsUpToTheLimit() throws Exception {
    python(
        """
        long = 'n' * 255; open(long, 'w').close(); os.rename(long, 'm' * 255); os.unlink('m' * 255)
        for call in (os.stat, os.mkdir, os.unlink, os.rmdir, os.mkfifo):
          same(refused(call, 'n' * 256), 'ENAMETOOLONG')
        same(refused(os.symlink, 't' * 4096, 's'), 'ENAMETOOLONG'); os.symlink('t' * 4095, 's')
        assert len(os.readlink('s')) == 4095
        deep = '/'.join(['d' * 200] * 20); os.makedirs(deep); path = deep + '/' + 'f' * 70
        assert len(path) == 4090; open(path, 'w').close()
        same(refused(os.stat, path + '/' + 'g' * 10), 'ENAMETOOLONG')
        os.symlink('loop', 'loop'); same(refused(open, 'loop'), 'ELOOP')
        same(refused(os.stat, 'loop/x'), 'ELOOP')
        """);
  }

  @Test
  void H07_whatOneMountAllocatesCopiesAndAllowsTheOtherSees() throws Exception {
    Path b = real.mount("b");
    python(
        """
        with open('f', 'w') as f: f.write('x' * 10000)
        os.chmod('.', 0o755); os.chmod('f', 0o600); os.mkdir('d')
        """);
    String read = "import hashlib; print(hashlib.md5(open('f','rb').read()).hexdigest())\n";
    String before = Shell.python(b, read);
    Shell.python(
        b,
        PRELUDE
            + "same(refused(os.getxattr, 'f', 'system.posix_acl_access'), 'ENODATA')\n"
            + "child(1001, lambda: same(refused(open, 'f'), 'EACCES'))");
    python(
        """
        fd = os.open('f', os.O_RDWR); allocate(fd, PUNCH | KEEP, 0, 5000)
        entries = ((1, 6, -1), (2, 4, 1001), (4, 0, -1), (16, 4, -1), (32, 0, -1))
        acl = struct.pack('<I', 2) + b''.join(struct.pack('<HHi', *e) for e in entries)
        os.setxattr('f', 'system.posix_acl_access', acl)
        os.copy_file_range(fd, fd, 100, 9000, 0); t = os.open('d', os.O_TMPFILE | os.O_RDWR, 0o600)
        os.write(t, b'unnamed'); assert os.listdir('d') == []; name_it(t, b'd/n')
        """);
    String after = Shell.python(b, read);
    assertEquals(Shell.python(a, read), after);
    assertTrue(!before.equals(after), after);
    Shell.python(
        b,
        PRELUDE
            + "child(1001, lambda: open('f').read()); assert open('d/n').read() == 'unnamed'\n"
            + "assert open('f').read(200) == 'x' * 100 + '\\0' * 100");
  }
}
