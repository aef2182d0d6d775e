package io.millrace.client;

import io.millrace.core.api.Pinned;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;

/**
 * Whole small files that came with a lookup or an open, until their first read: no copy, no
 * admission. Bounded in bytes, since what lies here may pin the node's L1 or a receive buffer; the
 * oldest goes first. Any thread.
 */
public final class StagedContent implements AutoCloseable {
  /** Content with what it is the content of. */
  static final class Staged {
    final long contentSeq;
    final SharedPin pin;
    private final int bytes;

    Staged(long contentSeq, Pinned pinned) {
      this.contentSeq = contentSeq;
      this.pin = new SharedPin(pinned);
      this.bytes = (int) pinned.bytes().byteSize() + 256;
    }

    MemorySegment bytes() {
      return pin.bytes();
    }
  }

  private final long limitBytes;
  private final LinkedHashMap<Long, Staged> files = new LinkedHashMap<>();
  private long usedBytes;
  private volatile boolean empty = true;

  public StagedContent(long limitBytes) {
    this.limitBytes = limitBytes;
  }

  public void put(long ino, long contentSeq, Pinned content) {
    var staged = new Staged(contentSeq, content);
    synchronized (this) {
      removeLocked(ino);
      files.put(ino, staged);
      usedBytes += staged.bytes;
      while (usedBytes > limitBytes) {
        removeLocked(files.firstEntry().getKey());
      }
      empty = files.isEmpty();
    }
  }

  /** Retained for the caller, who releases its pin; null where there is none. */
  Staged get(long ino) {
    if (empty) {
      return null;
    }
    synchronized (this) {
      Staged staged = files.get(ino);
      return staged != null && staged.pin.retain() ? staged : null;
    }
  }

  public void drop(long ino) {
    if (!empty) {
      synchronized (this) {
        removeLocked(ino);
        empty = files.isEmpty();
      }
    }
  }

  private void removeLocked(long ino) {
    Staged old = files.remove(ino);
    if (old != null) {
      usedBytes -= old.bytes;
      old.pin.release();
    }
  }

  public synchronized void clear() {
    files.values().forEach(s -> s.pin.release());
    files.clear();
    usedBytes = 0;
    empty = true;
  }

  @Override
  public void close() {
    clear();
  }
}
