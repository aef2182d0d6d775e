package io.millrace.fuse;

import io.millrace.fuse.FuseMountException.Kind;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Mounts as a user, by the set-uid helper fusermount3: it gets one end of a socket pair and sends
 * the open /dev/fuse through it. ProcessBuilder can't pass a descriptor on, so the child is started
 * by posix_spawn. Stateless.
 */
final class Fusermount {
  private static final String PROGRAM = "fusermount3";
  private static final String INSTALL =
      "fusermount3 is not there; install fuse3 (apt-get install fuse3, dnf install fuse3) or run"
          + " as root";
  private static final int ENOENT = 2;

  private static final int SPAWN_ACTIONS_BYTES = 256;
  private static final int STDERR = 2;

  private final CallState state = new CallState();

  private Fusermount() {}

  /** Gives the mount's descriptor. */
  static int mount(FuseConfig config, Path target) throws FuseMountException {
    try (Arena arena = Arena.ofConfined()) {
      return new Fusermount().mount(config, target, arena);
    }
  }

  private int mount(FuseConfig config, Path target, Arena arena) throws FuseMountException {
    MemorySegment sockets = arena.allocate(8, 4);
    MemorySegment pipe = arena.allocate(8, 4);
    check(Native.socketpair(state, Native.AF_UNIX, Native.SOCK_STREAM | Native.O_CLOEXEC, sockets));
    check(Native.pipe2(state, pipe, Native.O_CLOEXEC));
    int ours = sockets.get(Wire.U32, 0);
    int theirs = sockets.get(Wire.U32, 4);
    int errorsIn = pipe.get(Wire.U32, 0);
    int errorsOut = pipe.get(Wire.U32, 4);
    try {
      int pid = spawn(arena, arguments(config, target), theirs, errorsOut);
      Native.close(state, theirs);
      Native.close(state, errorsOut);
      theirs = errorsOut = -1;
      int fd = receive(arena, ours);
      String said = readAll(arena, errorsIn);
      Native.waitpid(state, pid, arena.allocate(4, 4));
      if (fd < 0) {
        throw refused(target, said);
      }
      check(Native.fcntl(state, fd, Native.F_SETFD, 1));
      return fd;
    } finally {
      for (int fd : new int[] {ours, theirs, errorsIn, errorsOut}) {
        if (fd >= 0) {
          Native.close(state, fd);
        }
      }
    }
  }

  private static List<String> arguments(FuseConfig config, Path target) {
    var options = new ArrayList<String>();
    options.add("fsname=" + config.fsName());
    options.add("subtype=" + config.subtype());
    options.add("max_read=" + config.maxWriteBytes());
    options.add("nosuid,nodev");
    if (config.readOnly()) {
      options.add("ro");
    }
    if (config.defaultPermissions()) {
      options.add("default_permissions");
    }
    if (config.allowOther()) {
      options.add("allow_other");
    }
    return List.of(PROGRAM, "-o", String.join(",", options), "--", target.toString());
  }

  private int spawn(Arena arena, List<String> arguments, int socket, int errors)
      throws FuseMountException {
    MemorySegment actions = arena.allocate(SPAWN_ACTIONS_BYTES, 8);
    Native.spawnActionsInit(state, actions);
    try {
      // A dup2 onto itself clears close-on-exec in the child alone.
      check(Native.spawnActionsDup2(state, actions, socket, socket));
      check(Native.spawnActionsDup2(state, actions, errors, STDERR));
      var environment = new ArrayList<String>();
      for (Map.Entry<String, String> e : System.getenv().entrySet()) {
        environment.add(e.getKey() + "=" + e.getValue());
      }
      environment.add("_FUSE_COMMFD=" + socket);
      MemorySegment pid = arena.allocate(4, 4);
      int result =
          Native.spawn(
              state,
              pid,
              arena.allocateFrom(PROGRAM),
              actions,
              strings(arena, arguments),
              strings(arena, environment));
      if (result == -ENOENT) {
        throw new FuseMountException(Kind.NO_FUSERMOUNT, INSTALL);
      }
      check(result);
      return pid.get(Wire.U32, 0);
    } finally {
      Native.spawnActionsDestroy(state, actions);
    }
  }

  static MemorySegment strings(Arena arena, List<String> values) {
    MemorySegment array = arena.allocate(ValueLayout.ADDRESS, values.size() + 1L);
    for (int i = 0; i < values.size(); i++) {
      array.setAtIndex(ValueLayout.ADDRESS, i, arena.allocateFrom(values.get(i)));
    }
    return array;
  }

  /** The descriptor the helper sends, or -1 when it closes the socket without. */
  private int receive(Arena arena, int socket) {
    var message = new SocketMessage(arena, arena.allocate(1), 4);
    long n;
    do {
      n = Native.recvmsg(state, socket, message.header, 0);
    } while (n == -FuseErrno.EINTR);
    List<Integer> fds = n > 0 ? message.descriptors() : List.of();
    return fds.isEmpty() ? -1 : fds.getFirst();
  }

  private String readAll(Arena arena, int fd) {
    MemorySegment buffer = arena.allocate(4096);
    var text = new StringBuilder();
    long n = Native.read(state, fd, buffer.address(), buffer.byteSize());
    while (n > 0 || n == -FuseErrno.EINTR) {
      if (n > 0) {
        byte[] bytes = buffer.asSlice(0, n).toArray(ValueLayout.JAVA_BYTE);
        text.append(new String(bytes, StandardCharsets.UTF_8));
      }
      n = Native.read(state, fd, buffer.address(), buffer.byteSize());
    }
    return text.toString().strip();
  }

  private static FuseMountException refused(Path target, String said) {
    if (said.contains("user_allow_other")) {
      return new FuseMountException(
          Kind.NO_PERMISSION,
          "allow_other is not permitted to users here; add the line user_allow_other to"
              + " /etc/fuse.conf, or mount without it ("
              + said
              + ")");
    }
    if (said.contains("/dev/fuse: Permission denied")) {
      return new FuseMountException(
          Kind.NO_PERMISSION,
          "/dev/fuse may not be opened by users here; root can allow it: chmod 666 /dev/fuse ("
              + said
              + ")");
    }
    if (said.contains("/dev/fuse") || said.contains("modprobe")) {
      return new FuseMountException(
          Kind.NO_DEVICE, "no FUSE here; load the module: modprobe fuse (" + said + ")");
    }
    boolean permission = said.contains("ermission") || said.contains("ermitted");
    return new FuseMountException(
        permission ? Kind.NO_PERMISSION : Kind.OTHER,
        "fusermount3 did not mount on "
            + target
            + " ("
            + said
            + "); the directory must belong to you");
  }

  private static void check(int result) throws FuseMountException {
    if (result < 0) {
      throw new FuseMountException(Kind.OTHER, "starting fusermount3 failed: errno " + -result);
    }
  }

  /** Unmounts; true when it is gone. */
  static boolean unmount(Path target, boolean lazy) {
    var command = new ArrayList<>(List.of(PROGRAM, "-u", "-q"));
    if (lazy) {
      command.add("-z");
    }
    command.add("--");
    command.add(target.toString());
    try {
      Process process =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start();
      return process.waitFor() == 0;
    } catch (IOException e) {
      return false;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }
}
