package io.millrace.client.mount;

import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Names, times and listings as Linux local file systems have them. As root. */
@Tag("mount")
final class PosixNamesTest {
  private static final String PRELUDE =
      """
      import errno, stat, time, ctypes
      def refused(call, *args, **more):
        try: call(*args, **more)
        except OSError as e: return errno.errorcode[e.errno]
        return 'done'
      def same(got, *wanted): assert got in wanted, (got, wanted)
      def touch(name): open(name, 'w').close()
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
  void renameRefusesInTheOrderOfLocalFileSystems() throws Exception {
    python(
        """
        os.makedirs('d/e'); os.mkdir('empty'); touch('f'); os.makedirs('full/x'); os.link('f', 'l')
        same(refused(os.rename, 'none', 'x'), 'ENOENT'); same(refused(os.rename, 'd', 'f'), 'ENOTDIR')
        same(refused(os.rename, 'f', 'd'), 'EISDIR'); same(refused(os.rename, 'd', 'full'), 'ENOTEMPTY')
        same(refused(os.rename, 'd', 'd/e/x'), 'EINVAL'); same(refused(os.rename, 'f/x', 'y'), 'ENOTDIR')
        same(refused(os.rename, 'd/.', 'y'), 'EBUSY'); same(refused(os.rename, 'd/e', 'd'), 'ENOTEMPTY')
        os.rename('f', 'l'); assert os.path.exists('f') and os.stat('f').st_nlink == 2
        os.rename('f', 'f'); os.rename('d', 'empty'); assert os.path.exists('empty/e')
        libc = ctypes.CDLL(None, use_errno=True)
        def rename2(a, b, flags):
          if libc.renameat2(-100, a, -100, b, flags): raise OSError(ctypes.get_errno(), 'renameat2')
        same(refused(rename2, b'f', b'l', 1), 'EEXIST'); same(refused(rename2, b'f', b'no', 2), 'ENOENT')
        same(refused(rename2, b'f', b'l', 3), 'EINVAL'); same(refused(rename2, b'f', b'w', 4), 'EINVAL')
        rename2(b'f', b'full', 2); assert os.path.isdir('f/x') and os.path.isfile('full')
        """);
  }

  @Test
  void removalRefusesInTheOrderOfLocalFileSystems() throws Exception {
    python(
        """
        os.makedirs('d/e'); touch('f'); os.symlink('d', 's')
        same(refused(os.rmdir, 'd'), 'ENOTEMPTY'); same(refused(os.rmdir, 'f'), 'ENOTDIR')
        same(refused(os.rmdir, 's'), 'ENOTDIR'); same(refused(os.rmdir, 'd/.'), 'EINVAL')
        same(refused(os.rmdir, 'd/e/..'), 'ENOTEMPTY'); same(refused(os.unlink, 'd'), 'EISDIR')
        same(refused(os.unlink, 'f/x'), 'ENOTDIR'); same(refused(os.unlink, 'no'), 'ENOENT')
        same(refused(os.mkdir, 'f'), 'EEXIST'); same(refused(os.link, 'd', 'x'), 'EPERM')
        same(refused(os.link, 'f', 'd'), 'EEXIST'); same(refused(os.mkdir, 'no/x'), 'ENOENT')
        same(refused(open, 'd', 'w'), 'EISDIR'); same(refused(os.truncate, 'd', 0), 'EISDIR')
        same(refused(open, 'f/'), 'ENOTDIR', 'EISDIR')
        """);
  }

  @Test
  void parentsAndInodesGetTheirTimes() throws Exception {
    python(
        """
        os.mkdir('d'); os.mkdir('e'); touch('d/f'); touch('d/g'); s = lambda p: os.lstat(p)
        def changes(call, *args, d=True, e=False, inode=None, ctime=None):
          for p in ('d', 'e') + ((inode,) if inode else ()): os.utime(p, ns=(5, 5))
          before = {p: s(p) for p in ('d', 'e', inode) if p}; time.sleep(0.002); call(*args)
          for p, moves in (('d', d), ('e', e)):
            assert (s(p).st_mtime_ns != 5) == moves, (call, args, p)
            assert (s(p).st_ctime_ns > before[p].st_ctime_ns) == moves, (call, args, p)
          if ctime: assert s(ctime).st_ctime_ns > before[inode].st_ctime_ns, (call, args)
        changes(touch, 'd/n'); changes(os.mkdir, 'd/m'); changes(os.rmdir, 'd/m')
        changes(os.symlink, 'x', 'd/s'); changes(os.mkfifo, 'd/p'); changes(os.unlink, 'd/s')
        changes(os.link, 'd/f', 'd/l', inode='d/f', ctime='d/f')
        changes(os.unlink, 'd/l', inode='d/f', ctime='d/f')
        changes(os.rename, 'd/f', 'e/f', e=True, inode='d/f', ctime='e/f')
        changes(os.rename, 'e/f', 'd/f', e=True, inode='e/f', ctime='d/f')
        changes(os.chmod, 'd/f', 0o600, d=False, inode='d/f', ctime='d/f')
        changes(os.setxattr, 'd/f', 'user.a', b'1', d=False, inode='d/f', ctime='d/f')
        changes(os.truncate, 'd/f', 10, d=False, inode='d/f', ctime='d/f')
        assert s('d/f').st_mtime_ns != 5
        with open('d/f', 'ab') as f: f.write(b'x')
        assert s('d/f').st_mtime_ns == s('d/f').st_ctime_ns, s('d/f')
        """);
  }

  @Test
  void timesToTheNanosecondNowAndOmitted() throws Exception {
    python(
        """
        touch('f'); os.utime('f', ns=(1234567890123456789, -987654321)); s = os.stat('f')
        assert (s.st_atime_ns, s.st_mtime_ns) == (1234567890123456789, -987654321), s
        libc = ctypes.CDLL(None, use_errno=True); NOW, OMIT = (1 << 30) - 1, (1 << 30) - 2
        class T(ctypes.Structure): _fields_ = [('s', ctypes.c_long), ('ns', ctypes.c_long)]
        def set(a, m):
          assert libc.utimensat(-100, b'f', (T * 2)(T(0, a), T(0, m)), 0) == 0
        ctime = s.st_ctime_ns; set(OMIT, OMIT); assert os.stat('f').st_ctime_ns == ctime
        set(OMIT, NOW); s = os.stat('f'); assert s.st_atime_ns == 1234567890123456789
        assert s.st_ctime_ns > ctime and abs(s.st_mtime - time.time()) < 60
        set(NOW, OMIT); assert os.stat('f').st_mtime_ns == s.st_mtime_ns
        os.utime('f', (1 << 40, -(1 << 40))); s = os.stat('f')
        assert s.st_atime > 9e9 and s.st_mtime < -9e9; os.utime('f', ns=(3, 4)); s = os.stat('f')
        os.symlink('f', 'l'); os.utime('l', ns=(7, 8), follow_symlinks=False)
        assert os.lstat('l').st_mtime_ns == 8 and os.stat('f').st_mtime_ns == s.st_mtime_ns
        f = open('m', 'w+b'); f.truncate(8192); os.utime('m', (1, 1)); m = mmap.mmap(f.fileno(), 8192)
        m[5000] = 7; m.flush(); assert os.stat('m').st_mtime > 1
        """);
  }

  @Test
  void specialFilesAndDirectoriesHaveTheirLinksAndNumbers() throws Exception {
    python(
        """
        os.mknod('c', 0o600 | stat.S_IFCHR, os.makedev(1, 3)); os.mkfifo('p', 0o640)
        os.mknod('b', 0o600 | stat.S_IFBLK, os.makedev(259, 1048575)); s = os.stat('c')
        assert stat.S_ISCHR(s.st_mode) and s.st_rdev == os.makedev(1, 3)
        assert os.stat('b').st_rdev == os.makedev(259, 1048575); assert stat.S_ISFIFO(os.stat('p').st_mode)
        import socket; u = socket.socket(socket.AF_UNIX); u.bind('s'); assert stat.S_ISSOCK(os.stat('s').st_mode)
        safe = os.ST_NOSUID | os.ST_NODEV; assert os.statvfs('.').f_flag & safe == safe
        same(refused(open, 'c'), 'EACCES')
        os.makedirs('d/1'); os.mkdir('d/2'); touch('d/f'); assert os.stat('d').st_nlink == 4
        os.rename('d/2', 'e'); assert os.stat('d').st_nlink == 3; os.rmdir('d/1')
        assert os.stat('d').st_nlink == 2 and os.stat('e/..').st_ino == os.stat('.').st_ino
        if os.fork() == 0: open('p', 'w').write('through'); os._exit(0)
        assert open('p').read() == 'through'; os.wait()
        """);
  }

  @Test
  void stickyDirectoriesProtectOthersFiles() throws Exception {
    python(
        """
        os.chmod('.', 0o755); os.mkdir('t'); os.chmod('t', 0o1777); touch('t/root'); touch('t/his')
        os.chown('t/his', 1001, 1001)
        if os.fork() == 0:
          os.setuid(1001); ok = refused(os.unlink, 't/root') == 'EPERM'
          ok = ok and refused(os.rename, 't/root', 't/x') == 'EPERM'
          ok = ok and refused(os.rename, 't/his', 't/root') == 'EPERM'
          os.unlink('t/his'); os._exit(0 if ok else 1)
        assert os.wait()[1] == 0
        """);
  }

  @Test
  void directIoAndSyncWritesGetThrough() throws Exception {
    python(
        """
        fd = os.open('d', os.O_RDWR | os.O_CREAT | os.O_DIRECT); page = mmap.mmap(-1, 8192)
        page[:] = b'd' * 8192; assert os.pwrite(fd, page, 4096) == 8192
        page[:] = bytes(8192); assert os.preadv(fd, [page], 4096) == 8192 and page[:] == b'd' * 8192
        assert os.preadv(fd, [page], 8192) == 4096 and os.fstat(fd).st_size == 12288
        g = open('d', 'rb', buffering=0); assert g.read(5000) == bytes(4096) + b'd' * 904
        page[:] = b'e' * 8192; os.pwrite(fd, page, 0); g.seek(0); assert g.read(10) == b'e' * 10
        for flag in (os.O_SYNC, os.O_DSYNC):
          s = os.open('s', os.O_WRONLY | os.O_CREAT | flag); os.write(s, b'synced'); os.close(s)
        """);
  }

  @Test
  void H05_listingGoesOnWhileEntriesComeAndGo() throws Exception {
    python(
        """
        libc = ctypes.CDLL(None, use_errno=True); libc.opendir.restype = ctypes.c_void_p
        class D(ctypes.Structure):
          _fields_ = [('ino', ctypes.c_ulong), ('off', ctypes.c_long), ('len', ctypes.c_ushort),
                      ('type', ctypes.c_ubyte), ('name', ctypes.c_char * 256)]
        libc.readdir.restype = ctypes.POINTER(D); libc.telldir.restype = ctypes.c_long
        for f in (libc.readdir, libc.telldir, libc.rewinddir): f.argtypes = [ctypes.c_void_p]
        libc.seekdir.argtypes = [ctypes.c_void_p, ctypes.c_long]
        os.mkdir('d'); names = ['f%05d' % i for i in range(6000)]
        for n in names: touch('d/' + n)
        d = libc.opendir(b'd')
        def rest():
          got = []
          while (e := libc.readdir(d)): got.append(e.contents.name.decode())
          return [n for n in got if n not in ('.', '..')]
        seen = []; places = {}
        while (e := libc.readdir(d)):
          n = e.contents.name.decode(); places[n] = libc.telldir(d); seen.append(n)
        assert sorted(seen)[2:] == names
        libc.seekdir(d, places['f00100']); assert rest() == names[101:]
        for n in names[50:3000]: os.unlink('d/' + n)
        os.rename('d/f04000', 'd/a'); touch('d/z')
        libc.seekdir(d, places['f00100']); left = names[3000:4000] + names[4001:]
        assert rest() == left + ['z'], 'goes on after a name that is gone'
        libc.seekdir(d, places['f04000']); assert rest() == names[4001:] + ['z']
        libc.rewinddir(d); assert rest() == ['a'] + names[:50] + left + ['z']
        it = os.scandir('d'); first = [next(it).name for _ in range(10)]
        for n in os.listdir('d'): os.unlink('d/' + n)
        list(it); os.rmdir('d')
        """);
  }

  @Test
  void removedDirectoryCanStillBeLookedAt() throws Exception {
    python(
        """
        os.makedirs('d'); os.makedirs('e'); os.makedirs('f')
        d, f = os.open('d', os.O_RDONLY), os.open('f', os.O_RDONLY); os.rmdir('d'); os.rename('e', 'f')
        assert os.fstat(d).st_nlink == 0 and os.fstat(f).st_nlink == 0
        assert os.listdir(d) == []; same(refused(os.mkdir, 'x', dir_fd=d), 'ENOENT')
        """);
  }
}
