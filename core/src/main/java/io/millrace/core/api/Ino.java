package io.millrace.core.api;

/**
 * Inode numbers: the shard in the upper 15 bits (the sign bit stays clear), a counter of that shard
 * in the lower 48. FUSE asks for 1 as the root.
 */
public final class Ino {
  public static final long ROOT = 1;

  private static final int LOCAL_BITS = 48;
  private static final long LOCAL_MAX = (1L << LOCAL_BITS) - 1;
  private static final int SHARD_MAX = (1 << 15) - 1;

  private Ino() {}

  public static long of(int shard, long local) {
    if (shard < 0 || shard > SHARD_MAX || local <= 0 || local > LOCAL_MAX) {
      throw new IllegalArgumentException("no inode number: shard " + shard + ", local " + local);
    }
    return (long) shard << LOCAL_BITS | local;
  }

  public static int shard(long ino) {
    return (int) (ino >>> LOCAL_BITS);
  }

  public static long local(long ino) {
    return ino & LOCAL_MAX;
  }
}
