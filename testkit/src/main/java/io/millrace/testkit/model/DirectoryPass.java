package io.millrace.testkit.model;

import io.millrace.testkit.posix.Syscalls;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * One reading of a directory from start to end, in pieces, while entries come and go. POSIX: what
 * was there all the time is seen exactly once; what never was there is not seen. One thread.
 */
final class DirectoryPass {
  private final Syscalls calls;
  private final int fd;
  private final ChangedNames changed;
  private final int mark;
  private final Set<String> before;
  private final List<DirectoryListing.Entry> seen = new ArrayList<>();

  DirectoryPass(Syscalls calls, int fd, ChangedNames changed) {
    this.calls = calls;
    this.fd = fd;
    this.changed = changed;
    this.mark = changed.mark();
    this.before = names();
  }

  private Set<String> names() {
    var names = new HashSet<String>();
    int own = calls.openAt(fd, ".", Syscalls.O_DIRECTORY);
    if (own >= 0) {
      try (Arena arena = Arena.ofConfined()) {
        var buffer = arena.allocate(1 << 16);
        DirectoryListing.whole(calls, own, buffer, new long[1]).forEach(e -> names.add(e.name()));
      }
      calls.close(own);
    }
    return names;
  }

  /** Bytes read, 0 at the end, or {@code -errno}. */
  long read(MemorySegment buffer, long length) {
    return DirectoryListing.part(calls, fd, buffer, length, seen);
  }

  /** What is wrong with what was seen; empty where nothing is. */
  String violations() {
    Set<String> touched = changed.since(mark);
    Set<String> now = names();
    var missed = new TreeSet<String>(before);
    missed.retainAll(now);
    missed.removeAll(touched);
    var twice = new TreeSet<String>();
    var strange = new TreeSet<String>();
    var once = new HashSet<String>();
    for (var entry : seen) {
      String name = entry.name();
      if (name.equals(".") || name.equals("..")) {
        continue;
      }
      if (!once.add(name) && !touched.contains(name)) {
        twice.add(name);
      }
      if (!before.contains(name) && !now.contains(name) && !touched.contains(name)) {
        strange.add(name);
      }
    }
    missed.removeAll(once);
    if (missed.isEmpty() && twice.isEmpty() && strange.isEmpty()) {
      return "";
    }
    return "missed " + missed + ", twice " + twice + ", never there " + strange;
  }
}
