package io.millrace.core.api;

/**
 * Names one immutable block: piece {@code index} of the byte stream of one content version (H2).
 *
 * @param version unique per inode; the upper half is the session number of its writer, 0 for
 *     versions that the namespace itself gives (imports)
 * @param index from 0; the block holds bytes from {@code index * MAX_BYTES} of the stream
 */
public record BlockId(long ino, long version, int index) {
  public static final int MAX_BYTES = 4 << 20;

  /** The lowest id of this inode. */
  public static BlockId firstOf(long ino) {
    return new BlockId(ino, 1, 0);
  }

  /** The id after this one in key order. */
  public BlockId next() {
    return index < Integer.MAX_VALUE
        ? new BlockId(ino, version, index + 1)
        : version == -1 ? firstOf(ino + 1) : new BlockId(ino, version + 1, 0);
  }

  public BlockId {
    if (ino <= 0 || version == 0 || index < 0) {
      throw new IllegalArgumentException("bad block " + ino + "/" + version + "/" + index);
    }
  }
}
