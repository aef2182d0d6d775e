package io.millrace.testkit.model;

import io.millrace.testkit.posix.FileStat;
import io.millrace.testkit.posix.Syscalls;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Which of mtime and ctime an operation moves: of what it names, and of the directories it is in.
 * One thread.
 */
final class TimeProbe {
  private final Syscalls calls;
  private final MemorySegment raw = Arena.ofAuto().allocate(FileStat.BYTES, Long.BYTES);

  TimeProbe(Syscalls calls) {
    this.calls = calls;
  }

  /** The files that an operation may touch, null for each that isn't there. */
  FileStat[] look(Operation op, String root, int fd) {
    String path = root + "/" + op.path();
    boolean named = op.kind() == Operation.Kind.RENAME || op.kind() == Operation.Kind.LINK;
    String other = root + "/" + op.other();
    return new FileStat[] {
      fd < 0 ? null : stat(fd, "", Syscalls.AT_EMPTY_PATH),
      op.path().isEmpty() ? null : byName(path),
      op.path().isEmpty() ? null : byName(parent(path)),
      named ? byName(other) : null,
      named ? byName(parent(other)) : null
    };
  }

  private static String parent(String path) {
    return path.substring(0, path.lastIndexOf('/'));
  }

  private FileStat byName(String path) {
    return stat(Syscalls.AT_FDCWD, path, Syscalls.AT_SYMLINK_NOFOLLOW);
  }

  private FileStat stat(int directory, String path, int flags) {
    return calls.stat(directory, path, flags, raw) < 0 ? null : FileStat.of(raw);
  }

  static String changes(FileStat[] before, FileStat[] after) {
    String[] names = {"fd", "path", "dir", "other", "otherdir"};
    var out = new StringBuilder("times:");
    for (int i = 0; i < names.length; i++) {
      FileStat was = before[i];
      FileStat is = after[i];
      if ((was == null) != (is == null)) {
        out.append(' ').append(names[i]).append(is == null ? " gone" : " new");
      }
      if (was != null && is != null && was.ino() == is.ino()) {
        out.append(' ').append(names[i]).append('=');
        out.append(was.mtimeNanos() == is.mtimeNanos() ? "" : "m");
        out.append(was.ctimeNanos() == is.ctimeNanos() ? "" : "c");
        out.append(is.nlink());
      }
    }
    return out.toString();
  }
}
