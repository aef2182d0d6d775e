package io.millrace.fuse;

import io.millrace.fuse.FuseMountException.Kind;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * How a process becomes the holder of what a mount must not lose, and how the one that serves the
 * mount stands to it (H17). The holder keeps descriptors open and needs nothing else, so any
 * program can be it: this process turns into it by execve(2). Stateless.
 */
public final class SupervisedProcess {
  private static final Path OWN_DESCRIPTORS = Path.of("/proc/self/fd");
  private static final int SIGKILL = 9;
  private static final int CLOSE_ON_EXEC = 1;
  private static final int STANDARD_STREAMS = 3;

  private SupervisedProcess() {}

  /** A descriptor of memory that lives as long as any process has it open; other processes too. */
  public static int sharedMemory(String name) throws FuseMountException {
    try (Arena arena = Arena.ofConfined()) {
      int fd = Native.memfdCreate(new CallState(), arena.allocateFrom(name), 1);
      if (fd < 0) {
        throw new FuseMountException(Kind.OTHER, "no shared memory: errno " + -fd);
      }
      return fd;
    }
  }

  /**
   * Turns this process into another program, which has only the standard streams and {@code keep}
   * open. Returns only by the exception.
   *
   * @param environment lines NAME=VALUE
   */
  public static void become(List<String> command, List<String> environment, List<Integer> keep)
      throws FuseMountException {
    var state = new CallState();
    try (Arena arena = Arena.ofConfined()) {
      for (int fd : openDescriptors()) {
        if (fd >= STANDARD_STREAMS) {
          Native.fcntl(state, fd, Native.F_SETFD, keep.contains(fd) ? 0 : CLOSE_ON_EXEC);
        }
      }
      int result =
          Native.execve(
              state,
              arena.allocateFrom(command.getFirst()),
              Fusermount.strings(arena, command),
              Fusermount.strings(arena, environment));
      throw new FuseMountException(
          Kind.OTHER, command.getFirst() + " can't be run: errno " + -result);
    }
  }

  private static Set<Integer> openDescriptors() throws FuseMountException {
    try (DirectoryStream<Path> fds = Files.newDirectoryStream(OWN_DESCRIPTORS)) {
      Stream.Builder<Path> all = Stream.builder();
      fds.forEach(all);
      return all.build()
          .map(fd -> Integer.valueOf(fd.getFileName().toString()))
          .collect(Collectors.toSet());
    } catch (IOException e) {
      throw new FuseMountException(Kind.OTHER, "own descriptors unknown: " + e.getMessage());
    }
  }

  /** What was inherited is not passed on to programs that this process starts. */
  public static void keepFromChildren(List<Integer> inherited) {
    var state = new CallState();
    inherited.forEach(fd -> Native.fcntl(state, fd, Native.F_SETFD, CLOSE_ON_EXEC));
  }

  /**
   * From now on this process is killed when its parent dies; the calling thread must live as long
   * as the process.
   *
   * @return false where the parent is dead already
   */
  public static boolean dieWithParent(long parent) {
    var state = new CallState();
    Native.prctl(state, Native.PR_SET_PDEATHSIG, SIGKILL);
    return Native.getppid(state) == parent;
  }
}
