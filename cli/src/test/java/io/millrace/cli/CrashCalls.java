package io.millrace.cli;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * System calls as programs make them, with their errno: no layer between that opens, retries or
 * closes by itself. Stateless but for the handles of the functions; any thread.
 */
@SuppressWarnings("restricted")
final class CrashCalls {
  static final int CREAT = 0100;
  static final int EXCL = 0200;
  static final int TRUNC = 01000;
  static final int APPEND = 02000;
  static final int RDWR = 2;
  static final int EXCHANGE = 2;
  static final int NOREPLACE = 1;
  private static final long AT_FDCWD = -100;
  private static final long AT_SYMLINK_NOFOLLOW = 0x100;

  private static final Linker LINKER = Linker.nativeLinker();
  private static final Linker.Option ERRNO = Linker.Option.captureCallState("errno");
  private static final StructLayout CAPTURED = Linker.Option.captureStateLayout();
  private static final VarHandle ERRNO_VALUE =
      CAPTURED.varHandle(MemoryLayout.PathElement.groupElement("errno"));

  private final Map<String, MethodHandle> functions = new ConcurrentHashMap<>();

  /** A call that failed. */
  static final class Failed extends Exception {
    private static final long serialVersionUID = 1;
    final int errno;

    Failed(String call, int errno) {
      super(call + ": errno " + errno);
      this.errno = errno;
    }
  }

  int open(String path, int flags, int mode) throws Failed {
    return (int) call("open", path, (long) flags, (long) mode);
  }

  void close(int fd) throws Failed {
    call("close", (long) fd);
  }

  void fsync(int fd) throws Failed {
    call("fsync", (long) fd);
  }

  /** All of it, or a failure. */
  void write(int fd, byte[] data, long offset, boolean append) throws Failed {
    long written =
        append
            ? call("write", (long) fd, data, (long) data.length)
            : call("pwrite", (long) fd, data, (long) data.length, offset);
    if (written != data.length) {
      throw new Failed("write gave " + written + " of " + data.length, 0);
    }
  }

  byte[] read(int fd, int length) throws Failed {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment target = arena.allocate(Math.max(1, length));
      int done = 0;
      while (done < length) {
        long n =
            call("pread", (long) fd, target.asSlice(done), (long) (length - done), (long) done);
        if (n == 0) {
          break;
        }
        done += (int) n;
      }
      return target.asSlice(0, done).toArray(ValueLayout.JAVA_BYTE);
    }
  }

  void ftruncate(int fd, long size) throws Failed {
    call("ftruncate", (long) fd, size);
  }

  void truncate(String path, long size) throws Failed {
    call("truncate", path, size);
  }

  void mkdir(String path, int mode) throws Failed {
    call("mkdir", path, (long) mode);
  }

  void rmdir(String path) throws Failed {
    call("rmdir", path);
  }

  void unlink(String path) throws Failed {
    call("unlink", path);
  }

  void rename(String from, String to, int flags) throws Failed {
    if (flags == 0) {
      call("rename", from, to);
    } else {
      call("renameat2", AT_FDCWD, from, AT_FDCWD, to, (long) flags);
    }
  }

  void link(String from, String to) throws Failed {
    call("link", from, to);
  }

  void symlink(String target, String path) throws Failed {
    call("symlink", target, path);
  }

  void chmod(String path, int mode) throws Failed {
    call("chmod", path, (long) mode);
  }

  void setMtime(String path, long seconds) throws Failed {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment times = arena.allocateFrom(JAVA_LONG, seconds, 0, seconds, 0);
      call("utimensat", AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW);
    }
  }

  void setxattr(String path, String name, byte[] value) throws Failed {
    call("setxattr", path, name, value, (long) value.length, 0L);
  }

  void removexattr(String path, String name) throws Failed {
    call("removexattr", path, name);
  }

  private long call(String name, Object... arguments) throws Failed {
    try (Arena arena = Arena.ofConfined()) {
      var given = new ArrayList<Object>();
      MemorySegment captured = arena.allocate(CAPTURED);
      given.add(captured);
      for (Object argument : arguments) {
        given.add(
            switch (argument) {
              case String text -> arena.allocateFrom(text);
              case byte[] bytes -> arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes);
              default -> argument;
            });
      }
      long result = (long) function(name, given).invokeWithArguments(given);
      if (result < 0) {
        throw new Failed(name, (int) ERRNO_VALUE.get(captured, 0L));
      }
      return result;
    } catch (Failed failed) {
      throw failed;
    } catch (Throwable unexpected) {
      throw new AssertionError(name, unexpected);
    }
  }

  private MethodHandle function(String name, List<Object> given) {
    return functions.computeIfAbsent(
        name,
        key -> {
          MemoryLayout[] layouts =
              given.stream()
                  .skip(1)
                  .map(each -> each instanceof MemorySegment ? ADDRESS : JAVA_LONG)
                  .toArray(MemoryLayout[]::new);
          var symbol = LINKER.defaultLookup().findOrThrow(key);
          boolean wide = key.equals("pwrite") || key.equals("pread") || key.equals("write");
          var type = FunctionDescriptor.of(wide ? JAVA_LONG : JAVA_INT, layouts);
          MethodHandle handle = LINKER.downcallHandle(symbol, type, ERRNO);
          return handle.asType(handle.type().changeReturnType(long.class));
        });
  }
}
