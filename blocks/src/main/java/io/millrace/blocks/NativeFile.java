package io.millrace.blocks;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * An open file, read and written straight from and to off-heap memory. Exists because a FileChannel
 * is closed for all its users when one of them is interrupted while reading (H22 interrupts
 * readers), and can't gather at a position. Safe for many threads; counted: closed when the last
 * holder releases it.
 */
final class NativeFile {
  static final int READ = 0;
  static final int WRITE = 2;
  static final int CREATE_EMPTY = WRITE | 0100 | 01000;

  /** Past the page cache: memory, offset and length are multiples of a page, else EINVAL. */
  static final int WRITE_DIRECT =
      WRITE | ("aarch64".equals(System.getProperty("os.arch")) ? 0200000 : 040000);

  private static final int CLOEXEC = 02000000;
  private static final int MODE = 0600;
  private static final int IOVEC_BYTES = 16;

  private static final Linker LINKER = Linker.nativeLinker();
  private static final Linker.Option ERRNO = Linker.Option.captureCallState("errno");
  private static final VarHandle ERRNO_FIELD =
      Linker.Option.captureStateLayout().varHandle(MemoryLayout.PathElement.groupElement("errno"));
  private static final MethodHandle OPEN =
      handle(
          "open",
          FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT),
          Linker.Option.firstVariadicArg(2));
  private static final MethodHandle PREAD =
      handle("pread", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG, JAVA_LONG));
  private static final MethodHandle PWRITE =
      handle("pwrite", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG, JAVA_LONG));
  private static final MethodHandle PWRITEV =
      handle("pwritev", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_INT, JAVA_LONG));
  private static final MethodHandle FTRUNCATE =
      handle("ftruncate", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG));
  private static final MethodHandle FDATASYNC =
      handle("fdatasync", FunctionDescriptor.of(JAVA_INT, JAVA_INT));
  private static final MethodHandle FSYNC =
      handle("fsync", FunctionDescriptor.of(JAVA_INT, JAVA_INT));
  private static final MethodHandle SYNCFS =
      handle("syncfs", FunctionDescriptor.of(JAVA_INT, JAVA_INT));
  private static final int WILL_NEED = 3;
  private static final MethodHandle FADVISE =
      handle(
          "posix_fadvise",
          FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_INT));
  private static final MethodHandle CLOSE =
      handle("close", FunctionDescriptor.of(JAVA_INT, JAVA_INT));

  private final Path path;
  private final int descriptor;
  private final AtomicInteger holders = new AtomicInteger(1);

  private NativeFile(Path path, int descriptor) {
    this.path = path;
    this.descriptor = descriptor;
  }

  static NativeFile open(Path path, int flags) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = state(arena);
      MemorySegment name = arena.allocateFrom(path.toString());
      int descriptor = (int) OPEN.invokeExact(state, name, flags | CLOEXEC, MODE);
      if (descriptor < 0) {
        throw failed("can't open file", path, state);
      }
      return new NativeFile(path, descriptor);
    } catch (Throwable failure) {
      throw rethrown(failure);
    }
  }

  /** False where it is closed already. */
  boolean acquire() {
    int now = holders.get();
    while (now > 0) {
      if (holders.compareAndSet(now, now + 1)) {
        return true;
      }
      now = holders.get();
    }
    return false;
  }

  void release() {
    if (holders.decrementAndGet() == 0) {
      int result = call(CLOSE, "can't close file");
      assert result == 0;
    }
  }

  /**
   * @return bytes read: fewer than asked only where the file ends
   */
  int read(MemorySegment target, long offset) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = state(arena);
      long done = 0;
      while (done < target.byteSize()) {
        MemorySegment rest = target.asSlice(done);
        long count =
            (long) PREAD.invokeExact(state, descriptor, rest, rest.byteSize(), offset + done);
        if (count == 0) {
          break;
        }
        done += checked(count, "can't read file", state);
      }
      return (int) done;
    } catch (Throwable failure) {
      throw rethrown(failure);
    }
  }

  /** Starts to bring the range into the page cache, where it is not there; a hint. */
  void willNeed(long offset, long length) {
    try (Arena arena = Arena.ofConfined()) {
      int ignored = (int) FADVISE.invokeExact(state(arena), descriptor, offset, length, WILL_NEED);
      assert ignored >= 0;
    } catch (Throwable failure) {
      throw rethrown(failure);
    }
  }

  /** Writes both one after the other, in one call where the system takes all at once. */
  void write(MemorySegment head, MemorySegment body, long offset) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = state(arena);
      MemorySegment vector = arena.allocate(2 * IOVEC_BYTES, 8);
      vector.set(ADDRESS, 0, head);
      vector.set(JAVA_LONG, 8, head.byteSize());
      vector.set(ADDRESS, IOVEC_BYTES, body);
      vector.set(JAVA_LONG, IOVEC_BYTES + 8, body.byteSize());
      long count = (long) PWRITEV.invokeExact(state, descriptor, vector, 2, offset);
      long done = checked(count, "can't write file", state);
      long headLeft = Math.max(0, head.byteSize() - done);
      if (headLeft > 0) {
        writeAll(head.asSlice(done), offset + done, state);
        done += headLeft;
      }
      if (done < head.byteSize() + body.byteSize()) {
        writeAll(body.asSlice(done - head.byteSize()), offset + done, state);
      }
    } catch (Throwable failure) {
      throw rethrown(failure);
    }
  }

  void write(MemorySegment bytes, long offset) {
    try (Arena arena = Arena.ofConfined()) {
      writeAll(bytes, offset, state(arena));
    } catch (Throwable failure) {
      throw rethrown(failure);
    }
  }

  void truncate(long length) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = state(arena);
      checked((int) FTRUNCATE.invokeExact(state, descriptor, length), "can't cut file", state);
    } catch (Throwable failure) {
      throw rethrown(failure);
    }
  }

  void syncData() {
    call(FDATASYNC, "can't sync file");
  }

  /** Makes names in a directory durable. */
  static void syncDirectory(Path directory) {
    NativeFile file = open(directory, READ);
    try {
      file.call(FSYNC, "can't sync directory");
    } finally {
      file.release();
    }
  }

  /** Makes everything on the file system of this directory durable, whoever wrote it. */
  static void syncFileSystem(Path directory) {
    NativeFile file = open(directory, READ);
    try {
      file.call(SYNCFS, "can't sync file system");
    } finally {
      file.release();
    }
  }

  private void writeAll(MemorySegment bytes, long offset, MemorySegment state) throws Throwable {
    long done = 0;
    while (done < bytes.byteSize()) {
      MemorySegment rest = bytes.asSlice(done);
      long count =
          (long) PWRITE.invokeExact(state, descriptor, rest, rest.byteSize(), offset + done);
      done += checked(count, "can't write file", state);
    }
  }

  private int call(MethodHandle function, String message) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = state(arena);
      int result = (int) function.invokeExact(state, descriptor);
      return (int) checked(result, message, state);
    } catch (Throwable failure) {
      throw rethrown(failure);
    }
  }

  /** An interrupted call did nothing: 0. */
  private long checked(long result, String message, MemorySegment state) {
    if (result < 0) {
      FsException failure = failed(message, path, state);
      if (failure.errno() != Errno.EINTR) {
        throw failure;
      }
    }
    return Math.max(result, 0);
  }

  private static MemorySegment state(Arena arena) {
    return arena.allocate(Linker.Option.captureStateLayout());
  }

  private static FsException failed(String message, Path path, MemorySegment state) {
    int code = (int) ERRNO_FIELD.get(state, 0L);
    return new FsException(Errno.of(code), message, "path", path, "errno", code);
  }

  private static RuntimeException rethrown(Throwable failure) {
    return switch (failure) {
      case RuntimeException known -> known;
      case Error error -> throw error;
      default -> new IllegalStateException("native call failed", failure);
    };
  }

  @SuppressWarnings("restricted")
  private static MethodHandle handle(
      String name, FunctionDescriptor descriptor, Linker.Option... options) {
    var all = new Linker.Option[options.length + 1];
    System.arraycopy(options, 0, all, 1, options.length);
    all[0] = ERRNO;
    return LINKER.downcallHandle(LINKER.defaultLookup().findOrThrow(name), descriptor, all);
  }
}
