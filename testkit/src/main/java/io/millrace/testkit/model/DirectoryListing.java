package io.millrace.testkit.model;

import io.millrace.testkit.posix.Syscalls;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Reads directories by getdents64, whole or by the buffer. */
final class DirectoryListing {
  /** One entry as the kernel lists it. */
  record Entry(String name, long ino, int type) {}

  private DirectoryListing() {}

  /**
   * Adds what fits the buffer to {@code to}.
   *
   * @return bytes filled, 0 at the end, or {@code -errno}
   */
  static long part(Syscalls calls, int fd, MemorySegment buffer, long length, List<Entry> to) {
    long got = calls.getdents(fd, buffer, length);
    for (long at = 0; at < got; ) {
      int size = buffer.get(ValueLayout.JAVA_SHORT_UNALIGNED, at + 16) & 0xffff;
      String name = buffer.getString(at + 19, StandardCharsets.ISO_8859_1);
      long ino = buffer.get(ValueLayout.JAVA_LONG_UNALIGNED, at);
      to.add(new Entry(name, ino, buffer.get(ValueLayout.JAVA_BYTE, at + 18)));
      at += size;
    }
    return got;
  }

  /** All entries but the dots; {@code -errno} in {@code failure[0]} where it can't be read. */
  static List<Entry> whole(Syscalls calls, int fd, MemorySegment buffer, long[] failure) {
    var entries = new ArrayList<Entry>();
    long got;
    do {
      got = part(calls, fd, buffer, buffer.byteSize(), entries);
    } while (got > 0);
    failure[0] = got;
    entries.removeIf(e -> e.name.equals(".") || e.name.equals(".."));
    return entries;
  }
}
