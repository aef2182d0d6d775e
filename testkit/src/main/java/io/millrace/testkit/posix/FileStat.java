package io.millrace.testkit.posix;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** What {@code stat} tells of a file, as in the kernel's {@code struct stat} of x86-64. */
public record FileStat(
    long device,
    long ino,
    long nlink,
    int mode,
    int uid,
    int gid,
    long rdev,
    long size,
    long atimeNanos,
    long mtimeNanos,
    long ctimeNanos) {
  public static final int BYTES = 144;
  private static final int TYPE = 0170000;
  private static final long NANOS = 1_000_000_000L;

  public static FileStat of(MemorySegment raw) {
    return new FileStat(
        number(raw, 0),
        number(raw, 8),
        number(raw, 16),
        raw.get(ValueLayout.JAVA_INT, 24),
        raw.get(ValueLayout.JAVA_INT, 28),
        raw.get(ValueLayout.JAVA_INT, 32),
        number(raw, 40),
        number(raw, 48),
        time(raw, 72),
        time(raw, 88),
        time(raw, 104));
  }

  private static long number(MemorySegment raw, long at) {
    return raw.get(ValueLayout.JAVA_LONG, at);
  }

  private static long time(MemorySegment raw, long at) {
    return number(raw, at) * NANOS + number(raw, at + Long.BYTES);
  }

  public boolean isDirectory() {
    return (mode & TYPE) == 0040000;
  }

  public boolean isFile() {
    return (mode & TYPE) == 0100000;
  }

  public boolean isPipe() {
    return (mode & TYPE) == 0010000;
  }

  public boolean isLink() {
    return (mode & TYPE) == 0120000;
  }
}
