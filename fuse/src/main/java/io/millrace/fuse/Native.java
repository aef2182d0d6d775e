package io.millrace.fuse;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * Every call into libc that this module makes. Results are values >= 0 or minus the errno. Memory
 * is passed as plain addresses: the caller keeps it alive, and nothing is allocated per call.
 */
@SuppressWarnings("restricted")
final class Native {
  static final int O_RDWR = 2;
  static final int O_CLOEXEC = 0x80000;
  static final long MS_RDONLY = 1;
  static final long MS_NOSUID = 2;
  static final long MS_NODEV = 4;
  static final int MNT_FORCE = 1;
  static final int MNT_DETACH = 2;
  static final int UMOUNT_NOFOLLOW = 8;
  static final int AF_UNIX = 1;
  static final int SOCK_STREAM = 1;
  static final int SOCK_DGRAM = 2;
  static final int MSG_PEEK = 2;
  static final int MSG_DONTWAIT = 0x40;
  static final int MSG_CMSG_CLOEXEC = 0x40000000;
  static final int PR_SET_PDEATHSIG = 1;
  static final int F_SETFD = 2;

  /** FUSE_DEV_IOC_CLONE: _IOR(229, 0, uint32_t). */
  static final long FUSE_DEV_IOC_CLONE = 0x8004e500L;

  private static final int PROT_READ_WRITE = 3;
  private static final int MAP_PRIVATE_ANONYMOUS = 0x22;
  private static final Linker LINKER = Linker.nativeLinker();

  private static final MethodHandle READ =
      handle("read", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_LONG));
  private static final MethodHandle WRITE =
      handle("write", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_LONG));
  private static final MethodHandle WRITEV =
      handle("writev", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_INT));
  private static final MethodHandle CLOSE =
      handle("close", FunctionDescriptor.of(JAVA_INT, JAVA_INT));
  private static final MethodHandle OPEN =
      variadic("open", 2, FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT));
  private static final MethodHandle IOCTL =
      variadic("ioctl", 2, FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, ADDRESS));
  private static final MethodHandle FCNTL =
      variadic("fcntl", 2, FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT));
  private static final MethodHandle MOUNT =
      handle(
          "mount", FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS, ADDRESS, JAVA_LONG, ADDRESS));
  private static final MethodHandle UMOUNT2 =
      handle("umount2", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT));
  private static final MethodHandle GETEUID = handle("geteuid", FunctionDescriptor.of(JAVA_INT));
  private static final MethodHandle GETEGID = handle("getegid", FunctionDescriptor.of(JAVA_INT));
  private static final MethodHandle SOCKETPAIR =
      handle("socketpair", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS));
  private static final MethodHandle PIPE2 =
      handle("pipe2", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT));
  private static final MethodHandle RECVMSG =
      handle("recvmsg", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_INT));
  private static final MethodHandle SENDMSG =
      handle("sendmsg", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_INT));
  private static final MethodHandle MEMFD_CREATE =
      handle("memfd_create", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT));
  private static final MethodHandle PRCTL =
      variadic("prctl", 1, FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG));
  private static final MethodHandle GETPPID = handle("getppid", FunctionDescriptor.of(JAVA_INT));
  private static final MethodHandle EXECVE =
      handle("execve", FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS, ADDRESS));
  private static final MethodHandle WAITPID =
      handle("waitpid", FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT));
  private static final MethodHandle POSIX_SPAWNP =
      handle(
          "posix_spawnp",
          FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS));
  private static final MethodHandle SPAWN_ACTIONS_INIT =
      handle("posix_spawn_file_actions_init", FunctionDescriptor.of(JAVA_INT, ADDRESS));
  private static final MethodHandle SPAWN_ACTIONS_DUP2 =
      handle(
          "posix_spawn_file_actions_adddup2",
          FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT));
  private static final MethodHandle SPAWN_ACTIONS_DESTROY =
      handle("posix_spawn_file_actions_destroy", FunctionDescriptor.of(JAVA_INT, ADDRESS));
  private static final MethodHandle MMAP =
      handle(
          "mmap",
          FunctionDescriptor.of(
              JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG));
  private static final MethodHandle MUNMAP =
      handle("munmap", FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG));

  private Native() {}

  private static MethodHandle handle(String name, FunctionDescriptor descriptor) {
    return LINKER.downcallHandle(
        LINKER.defaultLookup().findOrThrow(name),
        descriptor,
        Linker.Option.captureCallState("errno"));
  }

  private static MethodHandle variadic(String name, int fixed, FunctionDescriptor descriptor) {
    return LINKER.downcallHandle(
        LINKER.defaultLookup().findOrThrow(name),
        descriptor,
        Linker.Option.captureCallState("errno"),
        Linker.Option.firstVariadicArg(fixed));
  }

  static long read(CallState state, int fd, long address, long length) {
    try {
      return state.result((long) READ.invokeExact(state.segment, fd, address, length));
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  static long write(CallState state, int fd, long address, long length) {
    try {
      return state.result((long) WRITE.invokeExact(state.segment, fd, address, length));
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  static long writev(CallState state, int fd, long iovec, int count) {
    try {
      return state.result((long) WRITEV.invokeExact(state.segment, fd, iovec, count));
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  static int close(CallState state, int fd) {
    try {
      return state.result((int) CLOSE.invokeExact(state.segment, fd));
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  static int open(CallState state, MemorySegment path, int flags) {
    try {
      return state.result((int) OPEN.invokeExact(state.segment, path, flags, 0));
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  static int ioctl(CallState state, int fd, long request, MemorySegment argument) {
    try {
      return state.result((int) IOCTL.invokeExact(state.segment, fd, request, argument));
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  static int fcntl(CallState state, int fd, int command, int argument) {
    try {
      return state.result((int) FCNTL.invokeExact(state.segment, fd, command, argument));
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  static int mount(
      CallState state,
      MemorySegment source,
      MemorySegment target,
      MemorySegment type,
      long flags,
      MemorySegment data) {
    try {
      return state.result(
          (int) MOUNT.invokeExact(state.segment, source, target, type, flags, data));
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  static int umount2(CallState state, MemorySegment target, int flags) {
    try {
      return state.result((int) UMOUNT2.invokeExact(state.segment, target, flags));
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  static int geteuid(CallState state) {
    try {
      return (int) GETEUID.invokeExact(state.segment);
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  static int getegid(CallState state) {
    try {
      return (int) GETEGID.invokeExact(state.segment);
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  static int socketpair(CallState state, int domain, int type, MemorySegment pair) {
    try {
      return state.result((int) SOCKETPAIR.invokeExact(state.segment, domain, type, 0, pair));
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  static int pipe2(CallState state, MemorySegment pair, int flags) {
    try {
      return state.result((int) PIPE2.invokeExact(state.segment, pair, flags));
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  static long recvmsg(CallState state, int fd, MemorySegment message, int flags) {
    try {
      return state.result((long) RECVMSG.invokeExact(state.segment, fd, message, flags));
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  static long sendmsg(CallState state, int fd, MemorySegment message, int flags) {
    try {
      return state.result((long) SENDMSG.invokeExact(state.segment, fd, message, flags));
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  static int memfdCreate(CallState state, MemorySegment name, int flags) {
    try {
      return state.result((int) MEMFD_CREATE.invokeExact(state.segment, name, flags));
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  static int prctl(CallState state, int option, long argument) {
    try {
      return state.result((int) PRCTL.invokeExact(state.segment, option, argument));
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  static int getppid(CallState state) {
    try {
      return (int) GETPPID.invokeExact(state.segment);
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  /** Returns only when it failed. */
  static int execve(
      CallState state, MemorySegment program, MemorySegment argv, MemorySegment envp) {
    try {
      return state.result((int) EXECVE.invokeExact(state.segment, program, argv, envp));
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  static int waitpid(CallState state, int pid, MemorySegment status) {
    try {
      return state.result((int) WAITPID.invokeExact(state.segment, pid, status, 0));
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  /** Returns 0 or minus the errno, which this call gives as its value. */
  static int spawn(
      CallState state,
      MemorySegment pid,
      MemorySegment file,
      MemorySegment actions,
      MemorySegment argv,
      MemorySegment envp) {
    try {
      return -(int)
          POSIX_SPAWNP.invokeExact(
              state.segment, pid, file, actions, MemorySegment.NULL, argv, envp);
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  static void spawnActionsInit(CallState state, MemorySegment actions) {
    try {
      int _ = (int) SPAWN_ACTIONS_INIT.invokeExact(state.segment, actions);
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  static int spawnActionsDup2(CallState state, MemorySegment actions, int from, int to) {
    try {
      return -(int) SPAWN_ACTIONS_DUP2.invokeExact(state.segment, actions, from, to);
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  static void spawnActionsDestroy(CallState state, MemorySegment actions) {
    try {
      int _ = (int) SPAWN_ACTIONS_DESTROY.invokeExact(state.segment, actions);
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  /** Maps anonymous memory: zero, and without pages until it is touched. */
  static long mapAnonymous(CallState state, long length) {
    long address;
    try {
      address =
          (long)
              MMAP.invokeExact(
                  state.segment, 0L, length, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0L);
    } catch (Throwable e) {
      throw broken(e);
    }
    if (address == -1L) {
      throw new OutOfMemoryError("mmap of " + length + " bytes: errno " + state.errno());
    }
    return address;
  }

  static void unmap(CallState state, long address, long length) {
    try {
      int _ = (int) MUNMAP.invokeExact(state.segment, address, length);
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  /** A downcall itself throws only when its types are wrong, which a test would have shown. */
  private static RuntimeException broken(Throwable e) {
    if (e instanceof Error error) {
      throw error;
    }
    return new IllegalStateException("native call", e);
  }
}
