package io.millrace.testkit.posix;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.nio.charset.StandardCharsets;

/**
 * System calls as a C program makes them: exact flags, results as the kernel gives them, {@code
 * -errno} for an error. Paths are strings of bytes (ISO 8859-1), so that any name can be written.
 * One object per thread; it owns the thread's errno and is never shared. Linux on x86-64 only.
 */
public final class Syscalls {
  public static final int AT_FDCWD = -100;
  public static final int AT_SYMLINK_NOFOLLOW = 0x100;
  public static final int AT_REMOVEDIR = 0x200;
  public static final int AT_SYMLINK_FOLLOW = 0x400;
  public static final int AT_EMPTY_PATH = 0x1000;
  public static final int O_RDONLY = 0;
  public static final int O_WRONLY = 1;
  public static final int O_RDWR = 2;
  public static final int O_CREAT = 0100;
  public static final int O_EXCL = 0200;
  public static final int O_TRUNC = 01000;
  public static final int O_APPEND = 02000;
  public static final int O_NONBLOCK = 04000;
  public static final int O_DSYNC = 010000;
  public static final int O_DIRECTORY = 0200000;
  public static final int O_NOFOLLOW = 0400000;
  public static final int O_CLOEXEC = 02000000;
  public static final int O_SYNC = 04010000;
  public static final int O_PATH = 010000000;
  public static final int O_TMPFILE = 020200000;
  public static final int RENAME_NOREPLACE = 1;
  public static final int RENAME_EXCHANGE = 2;

  private static final Linker LINKER = Linker.nativeLinker();
  private static final StructLayout STATE = Linker.Option.captureStateLayout();
  private static final VarHandle ERRNO =
      STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));
  private static final MethodHandle SYSCALL = syscall();

  private final MemorySegment state = Arena.ofAuto().allocate(STATE);

  /** Whether this machine's system calls are the ones known here. */
  public static boolean areKnown() {
    return System.getProperty("os.arch").equals("amd64")
        && System.getProperty("os.name").equals("Linux");
  }

  @SuppressWarnings("restricted")
  private static MethodHandle syscall() {
    var number = ValueLayout.JAVA_LONG;
    return LINKER.downcallHandle(
        LINKER.defaultLookup().findOrThrow("syscall"),
        FunctionDescriptor.of(number, number, number, number, number, number, number, number),
        Linker.Option.captureCallState("errno"),
        Linker.Option.firstVariadicArg(1));
  }

  private long call(Syscall call, long a, long b, long c, long d, long e, long f) {
    try {
      long result = (long) SYSCALL.invokeExact(state, call.number, a, b, c, d, e, f);
      return result == -1 ? -(int) ERRNO.get(state, 0L) : result;
    } catch (Throwable t) {
      throw new AssertionError("a call to C does not throw", t);
    }
  }

  private long call(Syscall call, long a, long b, long c) {
    return call(call, a, b, c, 0, 0, 0);
  }

  private long onPath(Syscall call, long first, String path, long c, long d, long e) {
    try (Arena arena = Arena.ofConfined()) {
      return call(call, first, bytes(arena, path), c, d, e, 0);
    }
  }

  private static long bytes(Arena arena, String text) {
    return arena.allocateFrom(text, StandardCharsets.ISO_8859_1).address();
  }

  // ---- descriptors ----

  public int open(String path, int flags, int mode) {
    return (int) onPath(Syscall.OPENAT, AT_FDCWD, path, flags | O_CLOEXEC, mode, 0);
  }

  /** Opens a name in an open directory. */
  public int openAt(int directory, String path, int flags) {
    return (int) onPath(Syscall.OPENAT, directory, path, flags | O_CLOEXEC, 0, 0);
  }

  public int close(int fd) {
    return (int) call(Syscall.CLOSE, fd, 0, 0);
  }

  public int dup(int fd) {
    return (int) call(Syscall.DUP, fd, 0, 0);
  }

  public long read(int fd, MemorySegment target, long length) {
    return call(Syscall.READ, fd, target.address(), length);
  }

  public long write(int fd, MemorySegment source, long length) {
    return call(Syscall.WRITE, fd, source.address(), length);
  }

  public long pread(int fd, MemorySegment target, long length, long offset) {
    return call(Syscall.PREAD, fd, target.address(), length, offset, 0, 0);
  }

  public long pwrite(int fd, MemorySegment source, long length, long offset) {
    return call(Syscall.PWRITE, fd, source.address(), length, offset, 0, 0);
  }

  public long lseek(int fd, long offset, int whence) {
    return call(Syscall.LSEEK, fd, offset, whence);
  }

  public long ftruncate(int fd, long size) {
    return call(Syscall.FTRUNCATE, fd, size, 0);
  }

  public long fallocate(int fd, int mode, long offset, long length) {
    return call(Syscall.FALLOCATE, fd, mode, offset, length, 0, 0);
  }

  public long fsync(int fd) {
    return call(Syscall.FSYNC, fd, 0, 0);
  }

  public long fdatasync(int fd) {
    return call(Syscall.FDATASYNC, fd, 0, 0);
  }

  public long syncfs(int fd) {
    return call(Syscall.SYNCFS, fd, 0, 0);
  }

  public long fchmod(int fd, int mode) {
    return call(Syscall.FCHMOD, fd, mode, 0);
  }

  public long fchown(int fd, int uid, int gid) {
    return call(Syscall.FCHOWN, fd, uid, gid);
  }

  public long getdents(int fd, MemorySegment target, long length) {
    return call(Syscall.GETDENTS64, fd, target.address(), length);
  }

  /** Copies between two descriptors at given offsets, which the kernel does not move. */
  public long copyFileRange(int from, long fromOffset, int to, long toOffset, long length) {
    try (Arena arena = Arena.ofConfined()) {
      var offsets = arena.allocateFrom(ValueLayout.JAVA_LONG, fromOffset, toOffset);
      long at = offsets.address();
      return call(Syscall.COPY_FILE_RANGE, from, at, to, at + Long.BYTES, length, 0);
    }
  }

  // ---- mappings ----

  /** Maps shared; the address, or {@code -errno}. Bits: 1 read, 2 write. */
  public long mmap(int fd, long offset, long length, int protection) {
    return call(Syscall.MMAP, 0, length, protection, 1, fd, offset);
  }

  public long msync(long address, long length) {
    return call(Syscall.MSYNC, address, length, 4);
  }

  public long munmap(long address, long length) {
    return call(Syscall.MUNMAP, address, length, 0);
  }

  /** The memory of a mapping. Access beyond the file's end kills: the caller knows its size. */
  @SuppressWarnings("restricted")
  public static MemorySegment mapped(long address, long length) {
    return MemorySegment.ofAddress(address).reinterpret(length);
  }

  // ---- names ----

  public long mkdir(String path, int mode) {
    return onPath(Syscall.MKDIRAT, AT_FDCWD, path, mode, 0, 0);
  }

  public long mknod(String path, int mode, int device) {
    return onPath(Syscall.MKNODAT, AT_FDCWD, path, mode, device, 0);
  }

  public long unlink(String path, int flags) {
    return onPath(Syscall.UNLINKAT, AT_FDCWD, path, flags, 0, 0);
  }

  public long rename(String from, String to, int flags) {
    try (Arena arena = Arena.ofConfined()) {
      long source = bytes(arena, from);
      return call(Syscall.RENAMEAT2, AT_FDCWD, source, AT_FDCWD, bytes(arena, to), flags, 0);
    }
  }

  public long link(int directory, String from, String to, int flags) {
    try (Arena arena = Arena.ofConfined()) {
      long source = bytes(arena, from);
      return call(Syscall.LINKAT, directory, source, AT_FDCWD, bytes(arena, to), flags, 0);
    }
  }

  public long symlink(String target, String path) {
    try (Arena arena = Arena.ofConfined()) {
      return call(Syscall.SYMLINKAT, bytes(arena, target), AT_FDCWD, bytes(arena, path));
    }
  }

  public long readlink(String path, MemorySegment target, long length) {
    return onPath(Syscall.READLINKAT, AT_FDCWD, path, target.address(), length, 0);
  }

  // ---- attributes ----

  /** Fills {@code target} (at least {@link FileStat#BYTES}); path "" names the descriptor. */
  public long stat(int directory, String path, int flags, MemorySegment target) {
    return onPath(Syscall.NEWFSTATAT, directory, path, target.address(), flags, 0);
  }

  public long access(String path, int mode, int flags) {
    return onPath(Syscall.FACCESSAT2, AT_FDCWD, path, mode, flags, 0);
  }

  public long chmod(String path, int mode) {
    return onPath(Syscall.FCHMODAT, AT_FDCWD, path, mode, 0, 0);
  }

  public long chown(String path, int uid, int gid, int flags) {
    return onPath(Syscall.FCHOWNAT, AT_FDCWD, path, uid, gid, flags);
  }

  public long truncate(String path, long size) {
    try (Arena arena = Arena.ofConfined()) {
      return call(Syscall.TRUNCATE, bytes(arena, path), size, 0);
    }
  }

  /** Two pairs of seconds and nanoseconds: atime, mtime. */
  public long utimens(int directory, String path, long[] times, int flags) {
    try (Arena arena = Arena.ofConfined()) {
      long pairs = arena.allocateFrom(ValueLayout.JAVA_LONG, times).address();
      long name = path == null ? 0 : bytes(arena, path);
      return call(Syscall.UTIMENSAT, directory, name, pairs, flags, 0, 0);
    }
  }

  public long statfs(String path, MemorySegment target) {
    try (Arena arena = Arena.ofConfined()) {
      return call(Syscall.STATFS, bytes(arena, path), target.address(), 0);
    }
  }

  // ---- extended attributes ----

  public long setxattr(
      String path, boolean follow, String name, MemorySegment value, long length, int flags) {
    try (Arena arena = Arena.ofConfined()) {
      Syscall call = follow ? Syscall.SETXATTR : Syscall.LSETXATTR;
      long file = bytes(arena, path);
      return call(call, file, bytes(arena, name), value.address(), length, flags, 0);
    }
  }

  public long fsetxattr(int fd, String name, MemorySegment value, long length, int flags) {
    return onPath(Syscall.FSETXATTR, fd, name, value.address(), length, flags);
  }

  public long getxattr(
      String path, boolean follow, String name, MemorySegment target, long length) {
    try (Arena arena = Arena.ofConfined()) {
      Syscall call = follow ? Syscall.GETXATTR : Syscall.LGETXATTR;
      long file = bytes(arena, path);
      return call(call, file, bytes(arena, name), target.address(), length, 0, 0);
    }
  }

  public long fgetxattr(int fd, String name, MemorySegment target, long length) {
    return onPath(Syscall.FGETXATTR, fd, name, target.address(), length, 0);
  }

  public long listxattr(String path, boolean follow, MemorySegment target, long length) {
    try (Arena arena = Arena.ofConfined()) {
      Syscall call = follow ? Syscall.LISTXATTR : Syscall.LLISTXATTR;
      return call(call, bytes(arena, path), target.address(), length);
    }
  }

  public long removexattr(String path, boolean follow, String name) {
    try (Arena arena = Arena.ofConfined()) {
      Syscall call = follow ? Syscall.REMOVEXATTR : Syscall.LREMOVEXATTR;
      long file = bytes(arena, path);
      return call(call, file, bytes(arena, name), 0);
    }
  }

  // ---- who asks ----

  /** From here on this thread touches files as that user; root's rights over files go with it. */
  public void actAs(int uid, int gid) {
    call(Syscall.SETFSGID, gid, 0, 0);
    call(Syscall.SETFSUID, uid, 0, 0);
  }

  /** The umask of the whole process. */
  public int umask(int mask) {
    return (int) call(Syscall.UMASK, mask, 0, 0);
  }
}
