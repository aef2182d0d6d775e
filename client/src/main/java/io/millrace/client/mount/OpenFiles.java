package io.millrace.client.mount;

import io.millrace.client.HandleRows;
import io.millrace.client.MountLedger;
import io.millrace.client.WriteBack;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The open handles by the number the kernel knows them by, and for each inode how many there are
 * and whether it has lost its last name. Any thread. Bounded: at {@link #isFull} no more are
 * opened, but those that are being opened just then.
 */
final class OpenFiles {
  private record Use(int handles, boolean orphan) {}

  private final ConcurrentHashMap<Long, FileHandle> handles = new ConcurrentHashMap<>();
  private volatile boolean anyLockLost;
  private final ConcurrentHashMap<Long, Use> uses = new ConcurrentHashMap<>();
  private final HandleRows rows;
  private final AtomicLong numbers;
  private final int max;

  /**
   * Handles of another process, by the request that opened them; emptied as requests come again.
   */
  private final ConcurrentHashMap<Long, Long> openedBy = new ConcurrentHashMap<>();

  OpenFiles(MountLedger ledger, int max) {
    this.max = max;
    rows = ledger.handles();
    numbers = new AtomicLong(ledger.generation() << 40);
  }

  /**
   * @param key of the kernel's request that opens it
   */
  long add(FileHandle handle, long key) {
    long number = numbers.incrementAndGet();
    handle.noted(rows.add(number, handle.ino(), key, handle.dirty() != null));
    put(number, handle);
    return number;
  }

  /** Opens are refused with ENFILE. */
  boolean isFull() {
    return handles.mappingCount() >= max;
  }

  private void put(long number, FileHandle handle) {
    use(handle.ino());
    handles.put(number, handle);
  }

  /** One more handle, or an open on its way; {@link #release} ends it. */
  void use(long ino) {
    uses.compute(
        ino, (k, use) -> use == null ? new Use(1, false) : new Use(use.handles + 1, use.orphan));
  }

  /**
   * Handles that another process opened are ours; before the first request.
   *
   * @param lost inodes whose data died with it: each handle that can write is to tell
   */
  void takeOver(WriteBack writeBack, Collection<Long> lost) {
    rows.forEach(
        left -> {
          var handle =
              new FileHandle(left.ino(), left.writes() ? writeBack.acquire(left.ino()) : null);
          handle.noted(left.row());
          put(left.number(), handle);
          openedBy.put(left.key(), left.number());
          if (left.lost() || (left.writes() && lost.contains(left.ino()))) {
            handle.setLost(true);
            rows.setLost(left.row(), true);
          }
        });
  }

  /** The handle that another process made for a request whose answer the kernel never got; or 0. */
  long openedBefore(long key) {
    Long number = openedBy.remove(key);
    return number == null ? 0 : number;
  }

  /** Its user has heard of the loss. */
  void toldLost(FileHandle handle) {
    handle.setLost(false);
    rows.setLost(handle.row(), false);
  }

  /** A lock is asked for through the handle. */
  void locks(long number, long owner) {
    FileHandle handle = get(number);
    if (handle != null) {
      handle.locks(owner);
    }
  }

  void locksNoMore(long number, long owner) {
    FileHandle handle = get(number);
    if (handle != null) {
      handle.locksNoMore(owner);
    }
  }

  /** The owner's locks on the inode are gone without its doing; or it has heard of that. */
  void lockLost(long ino, long owner, boolean value) {
    if (value || anyLockLost) {
      anyLockLost |= value;
      handles.values().stream()
          .filter(handle -> handle.ino() == ino)
          .forEach(handle -> handle.setLockLost(owner, value));
    }
  }

  /** Whether a lock that was taken through the handle is gone. */
  boolean isLockLost(long number) {
    FileHandle handle = anyLockLost ? get(number) : null;
    return handle != null && handle.isLockLost();
  }

  /** The inodes that are open. */
  List<Long> inodes() {
    return List.copyOf(uses.keySet());
  }

  /** Null where there is no such handle (a mount without opens has none). */
  FileHandle get(long number) {
    return number == 0 ? null : handles.get(number);
  }

  FileHandle remove(long number) {
    FileHandle handle = handles.remove(number);
    if (handle != null) {
      rows.remove(handle.row());
    }
    return handle;
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
