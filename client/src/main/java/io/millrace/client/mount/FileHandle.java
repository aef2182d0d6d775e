package io.millrace.client.mount;

import io.millrace.client.DirtyFile;
import io.millrace.client.ReadAhead;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * One open file description. Its window is made at the first read past the start, so that small
 * files have none. Any thread.
 */
final class FileHandle {
  private final long ino;
  private final DirtyFile dirty;
  private ReadAhead window;
  private boolean closed;
  private volatile int row = -1;
  private volatile boolean lost;
  private volatile boolean lockLost;
  private Set<Long> lockOwners;

  /**
   * @param dirty null where it was opened for reading only
   */
  FileHandle(long ino, DirtyFile dirty) {
    this.ino = ino;
    this.dirty = dirty;
  }

  long ino() {
    return ino;
  }

  DirtyFile dirty() {
    return dirty;
  }

  /** Where it is noted for other processes. */
  int row() {
    return row;
  }

  void noted(int at) {
    row = at;
  }

  /** What was written through it, or beside it, died with another process: its user is to hear. */
  boolean isLost() {
    return lost;
  }

  void setLost(boolean value) {
    lost = value;
  }

  /** A lock that was taken through it is gone, and its holder is to hear. */
  boolean isLockLost() {
    return lockLost;
  }

  synchronized void setLockLost(long owner, boolean value) {
    if (lockOwners != null && lockOwners.contains(owner)) {
      lockLost = value;
    }
  }

  /** Somebody locks through it. */
  synchronized void locks(long owner) {
    if (lockOwners == null) {
      lockOwners = new HashSet<>();
    }
    lockOwners.add(owner);
  }

  synchronized void locksNoMore(long owner) {
    if (lockOwners != null) {
      lockOwners.remove(owner);
    }
  }

  synchronized List<Long> lockOwners() {
    return lockOwners == null ? List.of() : List.copyOf(lockOwners);
  }

  /** The handle's window; null before the reader has gone past the start. */
  synchronized ReadAhead window(long offset, java.util.function.LongFunction<ReadAhead> maker) {
    if (window == null && offset > 0 && !closed) {
      window = maker.apply(ino);
    }
    return window;
  }

  synchronized void close() {
    closed = true;
    if (window != null) {
      window.close();
    }
  }
}
