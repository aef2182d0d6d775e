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

  public BlockId {
    if (ino <= 0 || version == 0 || index < 0) {
      throw new IllegalArgumentException("bad block " + ino + "/" + version + "/" + index);
    }
  }
}
