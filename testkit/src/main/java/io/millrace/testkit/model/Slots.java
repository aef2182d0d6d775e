package io.millrace.testkit.model;

import io.millrace.testkit.posix.FileStat;
import io.millrace.testkit.posix.Syscalls;
import java.lang.foreign.MemorySegment;

/**
 * The open descriptors of one side, kept across many operations, with what a directory's reader has
 * seen so far. One thread.
 */
final class Slots {
  private final Syscalls calls;
  private final int[] descriptors = new int[OperationGenerator.SLOTS];
  private final int[] mounts = new int[OperationGenerator.SLOTS];
  private final boolean[] appends = new boolean[OperationGenerator.SLOTS];
  private final DirectoryPass[] passes = new DirectoryPass[OperationGenerator.SLOTS];

  Slots(Syscalls calls) {
    this.calls = calls;
    java.util.Arrays.fill(descriptors, -1);
  }

  int fd(int slot) {
    return descriptors[slot];
  }

  int mount(int slot) {
    return mounts[slot];
  }

  /** Whether it was opened with O_APPEND. */
  boolean appends(int slot) {
    return appends[slot];
  }

  void put(int slot, int fd, int mount, int flags) {
    descriptors[slot] = fd;
    mounts[slot] = mount;
    appends[slot] = (flags & Syscalls.O_APPEND) != 0;
  }

  Outcome close(int slot) {
    int fd = descriptors[slot];
    descriptors[slot] = -1;
    passes[slot] = null;
    return Outcome.of(calls.close(fd));
  }

  Outcome closeAll() {
    long worst = 0;
    for (int slot = 0; slot < descriptors.length; slot++) {
      if (descriptors[slot] >= 0) {
        worst = Math.min(worst, close(slot).result());
      }
    }
    return Outcome.of(worst);
  }

  boolean isGone(int slot, MemorySegment raw) {
    FileStat stat = stat(slot, raw);
    return stat != null && !stat.isFile() && stat.nlink() == 0;
  }

  /** Null where the slot holds nothing that can be asked. */
  FileStat stat(int slot, MemorySegment raw) {
    int fd = descriptors[slot];
    if (fd < 0 || calls.stat(fd, "", Syscalls.AT_EMPTY_PATH, raw) < 0) {
      return null;
    }
    return FileStat.of(raw);
  }

  /** The reader of the slot's directory; starts one where there is none. */
  DirectoryPass pass(int slot, ChangedNames changed) {
    if (passes[slot] == null) {
      passes[slot] = new DirectoryPass(calls, descriptors[slot], changed);
    }
    return passes[slot];
  }

  void endPass(int slot) {
    passes[slot] = null;
  }
}
