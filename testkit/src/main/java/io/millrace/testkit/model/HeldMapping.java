package io.millrace.testkit.model;

import io.millrace.testkit.posix.FileStat;
import io.millrace.testkit.posix.Syscalls;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Shared mappings: of a moment, or one that stays while its file is written, cut and unlinked by
 * other means. It keeps a descriptor of its own, to know how long the file is: memory behind its
 * end must not be touched. One thread.
 */
final class HeldMapping {
  private static final long LENGTH = 1 << 20;
  private static final int PAGE = 4096;

  private final Syscalls calls;
  private final MemorySegment raw = Arena.ofAuto().allocate(FileStat.BYTES, Long.BYTES);
  private int fd = -1;
  private long address;

  HeldMapping(Syscalls calls) {
    this.calls = calls;
  }

  Outcome hold(int other) {
    release();
    int own = calls.dup(other);
    if (own < 0) {
      return Outcome.of(own);
    }
    long at = calls.mmap(own, 0, LENGTH, 3);
    if (at < 0) {
      calls.close(own);
      return Outcome.of(at);
    }
    fd = own;
    address = at;
    return Outcome.of(0);
  }

  void release() {
    if (fd >= 0) {
      calls.munmap(address, LENGTH);
      calls.close(fd);
      fd = -1;
    }
  }

  private long end(int of, long offset, long length) {
    if (calls.stat(of, "", Syscalls.AT_EMPTY_PATH, raw) < 0) {
      return 0;
    }
    FileStat stat = FileStat.of(raw);
    return stat.isFile() ? Math.min(offset + length, stat.size()) : 0;
  }

  /** Loads or stores through the mapping that is held. */
  Outcome touch(long offset, long length, MemorySegment store) {
    long end = fd < 0 ? 0 : Math.min(LENGTH, end(fd, offset, length));
    if (end <= offset) {
      return new Outcome(0, "nothing mapped there");
    }
    MemorySegment range = Syscalls.mapped(address, LENGTH).asSlice(offset, end - offset);
    if (store == null) {
      return new Outcome(end - offset, Digests.of(range));
    }
    MemorySegment.copy(store, 0, range, 0, end - offset);
    return new Outcome(end - offset, "msync " + calls.msync(address, LENGTH));
  }

  /** Maps the range, loads or stores, and unmaps. */
  Outcome once(int of, long offset, long length, MemorySegment store) {
    long end = of < 0 ? 0 : end(of, offset, length);
    if (end <= offset) {
      return new Outcome(0, "nothing there");
    }
    long start = offset / PAGE * PAGE;
    long at = calls.mmap(of, start, end - start, store == null ? 1 : 3);
    if (at < 0) {
      return Outcome.of(at);
    }
    MemorySegment range = Syscalls.mapped(at, end - start).asSlice(offset - start);
    String detail;
    if (store == null) {
      detail = Digests.of(range);
    } else {
      MemorySegment.copy(store, 0, range, 0, end - offset);
      detail = "msync " + calls.msync(at, end - start);
    }
    calls.munmap(at, end - start);
    return new Outcome(end - offset, detail);
  }
}
