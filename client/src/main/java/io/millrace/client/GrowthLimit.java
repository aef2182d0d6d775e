package io.millrace.client;

import io.millrace.proto.Inode;

/**
 * How far a file may grow as far as this client knows: its quotas may have more room by now, or
 * less, as others write too. The commit decides; this only lets write(2) tell early. Any thread.
 */
public final class GrowthLimit {
  private volatile long endBytes = Long.MAX_VALUE;

  /** The node told of the file, as it is without what is dirty here. */
  public void learn(Inode inode) {
    long end = inode.getSize() + inode.getQuotaRoom();
    endBytes = inode.hasQuotaRoom() && end >= 0 ? end : Long.MAX_VALUE;
  }

  /** Bytes of the range that lie within the limit; negative where none does. */
  public long fitting(long offset, long length) {
    return Math.min(length, endBytes - offset);
  }

  public boolean allows(long end) {
    return end <= endBytes;
  }
}
