package io.millrace.bench;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.util.Arrays;

/**
 * The system calls a measured program makes, without java.nio between: no allocation, no copy into
 * the heap, nothing but the call. One object per thread; it owns the thread's errno. Calls return
 * what C returns, or {@code -errno}.
 */
final class Posix {
  static final int READ_ONLY = 0;
  static final int CREATE_NEW = 1 | 0100 | 0200; // O_WRONLY | O_CREAT | O_EXCL
  static final int STAT_BYTES = 256; // 144 on x86-64
  static final int DIRECTORY = 0200000;
  static final int REWRITE = 1 | 0100 | 01000; // O_WRONLY | O_CREAT | O_TRUNC

  private static final Linker LINKER = Linker.nativeLinker();
  private static final StructLayout STATE = Linker.Option.captureStateLayout();
  private static final VarHandle ERRNO =
      STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));
  private static final MethodHandle OPEN =
      function(
          "open",
          FunctionDescriptor.of(
              ValueLayout.JAVA_INT,
              ValueLayout.ADDRESS,
              ValueLayout.JAVA_INT,
              ValueLayout.JAVA_INT),
          Linker.Option.firstVariadicArg(2));
  private static final MethodHandle READ = function("read", transfer());
  private static final MethodHandle WRITE = function("write", transfer());
  private static final MethodHandle CLOSE = function("close", onDescriptor());
  private static final MethodHandle FSYNC = function("fsync", onDescriptor());
  private static final MethodHandle UNLINK = function("unlink", onPaths(1));
  private static final MethodHandle RENAME = function("rename", onPaths(2));
  private static final MethodHandle STAT = function("stat", onPaths(2));
  private static final MethodHandle GETDENTS = function("getdents64", transfer());

  private final MemorySegment state;

  Posix(Arena arena) {
    this.state = arena.allocate(STATE);
  }

  private static FunctionDescriptor transfer() {
    return FunctionDescriptor.of(
        ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_LONG);
  }

  private static FunctionDescriptor onDescriptor() {
    return FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT);
  }

  private static FunctionDescriptor onPaths(int count) {
    var paths = new MemoryLayout[count];
    Arrays.fill(paths, ValueLayout.ADDRESS);
    return FunctionDescriptor.of(ValueLayout.JAVA_INT, paths);
  }

  @SuppressWarnings("restricted")
  private static MethodHandle function(
      String name, FunctionDescriptor type, Linker.Option... options) {
    var all = new Linker.Option[options.length + 1];
    System.arraycopy(options, 0, all, 1, options.length);
    all[0] = Linker.Option.captureCallState("errno");
    return LINKER.downcallHandle(LINKER.defaultLookup().findOrThrow(name), type, all);
  }

  int open(MemorySegment path, int flags) {
    try {
      return (int) orErrno((int) OPEN.invokeExact(state, path, flags, 0644));
    } catch (Throwable t) {
      throw new AssertionError("a call to C does not throw", t);
    }
  }

  long read(int descriptor, MemorySegment target, long length) {
    try {
      return orErrno((long) READ.invokeExact(state, descriptor, target, length));
    } catch (Throwable t) {
      throw new AssertionError("a call to C does not throw", t);
    }
  }

  long write(int descriptor, MemorySegment source, long length) {
    try {
      return orErrno((long) WRITE.invokeExact(state, descriptor, source, length));
    } catch (Throwable t) {
      throw new AssertionError("a call to C does not throw", t);
    }
  }

  int close(int descriptor) {
    try {
      return (int) orErrno((int) CLOSE.invokeExact(state, descriptor));
    } catch (Throwable t) {
      throw new AssertionError("a call to C does not throw", t);
    }
  }

  int fsync(int descriptor) {
    try {
      return (int) orErrno((int) FSYNC.invokeExact(state, descriptor));
    } catch (Throwable t) {
      throw new AssertionError("a call to C does not throw", t);
    }
  }

  int unlink(MemorySegment path) {
    try {
      return (int) orErrno((int) UNLINK.invokeExact(state, path));
    } catch (Throwable t) {
      throw new AssertionError("a call to C does not throw", t);
    }
  }

  int rename(MemorySegment from, MemorySegment to) {
    try {
      return (int) orErrno((int) RENAME.invokeExact(state, from, to));
    } catch (Throwable t) {
      throw new AssertionError("a call to C does not throw", t);
    }
  }

  /** {@code found} has room for a struct stat, {@link #STAT_BYTES}. */
  int stat(MemorySegment path, MemorySegment found) {
    try {
      return (int) orErrno((int) STAT.invokeExact(state, path, found));
    } catch (Throwable t) {
      throw new AssertionError("a call to C does not throw", t);
    }
  }

  /** Entries of an open directory, as many as fit: records of struct linux_dirent64. */
  long entries(int descriptor, MemorySegment target) {
    try {
      return orErrno((long) GETDENTS.invokeExact(state, descriptor, target, target.byteSize()));
    } catch (Throwable t) {
      throw new AssertionError("a call to C does not throw", t);
    }
  }

  private long orErrno(long result) {
    return result < 0 ? -(int) ERRNO.get(state, 0L) : result;
  }

  /** Throws when a call's result is {@code -errno}; otherwise returns it. */
  static long checked(String call, Object on, long result) {
    if (result < 0) {
      throw new MeasuredCallFailed(call + " " + on + ": errno " + -result);
    }
    return result;
  }
}
