package io.millrace.client.mount;

import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The open handles by the number the kernel knows them by, and for each inode how many there are
 * and whether it has lost its last name. Any thread. Bounded by the kernel's limit of open files.
 */
final class OpenFiles {
  private record Use(int handles, boolean orphan) {}

  private final ConcurrentHashMap<Long, FileHandle> handles = new ConcurrentHashMap<>();
  private final ConcurrentHashMap<Long, Use> uses = new ConcurrentHashMap<>();
  private final AtomicLong numbers = new AtomicLong();

  long add(FileHandle handle) {
    long number = numbers.incrementAndGet();
    uses.compute(
        handle.ino(),
        (k, use) -> use == null ? new Use(1, false) : new Use(use.handles + 1, use.orphan));
    handles.put(number, handle);
    return number;
  }

  /** Null where there is no such handle (a mount without opens has none). */
  FileHandle get(long number) {
    return number == 0 ? null : handles.get(number);
  }

  FileHandle remove(long number) {
    return handles.remove(number);
  }

  /** Ends one use; true where it was the last of an orphan, which is now to be reaped. */
  boolean release(long ino) {
    boolean[] reap = {false};
    uses.computeIfPresent(
        ino,
        (k, use) -> {
          reap[0] = use.handles == 1 && use.orphan;
          return use.handles == 1 ? null : new Use(use.handles - 1, use.orphan);
        });
    return reap[0];
  }

  boolean isOpen(long ino) {
    return uses.containsKey(ino);
  }

  boolean anyOpen() {
    return !uses.isEmpty();
  }

  /** The inode has lost its last name; false where it isn't open here. */
  boolean orphan(long ino) {
    return uses.computeIfPresent(ino, (k, use) -> new Use(use.handles, true)) != null;
  }
}
