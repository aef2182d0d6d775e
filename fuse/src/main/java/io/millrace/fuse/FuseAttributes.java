package io.millrace.fuse;

import java.lang.foreign.MemorySegment;

/**
 * Attributes of a file on their way into a reply. Mutable and reusable, so that an answer allocates
 * nothing; owned by whoever fills it, read only while a reply method runs. Everything is 0 until
 * set, except one link and 4 KiB blocks.
 */
public final class FuseAttributes {
  private static final long NANOS = 1_000_000_000L;
  private static final int STATX_BASIC = 0x7ff;
  private static final int STATX_BTIME = 0x800;

  private long ino;
  private long size;
  private long blocks;
  private long atime;
  private long mtime;
  private long ctime;
  private int atimeNsec;
  private int mtimeNsec;
  private int ctimeNsec;
  private int mode;
  private int nlink;
  private int uid;
  private int gid;
  private int rdev;
  private int blksize;

  public FuseAttributes() {
    clear();
  }

  public FuseAttributes clear() {
    ino = size = blocks = atime = mtime = ctime = 0;
    atimeNsec = mtimeNsec = ctimeNsec = mode = uid = gid = rdev = 0;
    nlink = 1;
    blksize = 4096;
    return this;
  }

  public FuseAttributes ino(long value) {
    ino = value;
    return this;
  }

  /** Sets the length in bytes, and from it the number of 512-byte blocks. */
  public FuseAttributes size(long value) {
    size = value;
    blocks = (value + 511) >>> 9;
    return this;
  }

  /** 512-byte blocks, where they don't follow from the size; call after {@link #size}. */
  public FuseAttributes blocks(long value) {
    blocks = value;
    return this;
  }

  /** Type and permission bits, as in {@code st_mode}. */
  public FuseAttributes mode(int value) {
    mode = value;
    return this;
  }

  public FuseAttributes nlink(int value) {
    nlink = value;
    return this;
  }

  public FuseAttributes owner(int uidValue, int gidValue) {
    uid = uidValue;
    gid = gidValue;
    return this;
  }

  /** Device number as the kernel encodes it (MKNOD gives it so). */
  public FuseAttributes rdev(int value) {
    rdev = value;
    return this;
  }

  public FuseAttributes blksize(int value) {
    blksize = value;
    return this;
  }

  public FuseAttributes atime(long seconds, int nanos) {
    atime = seconds;
    atimeNsec = nanos;
    return this;
  }

  public FuseAttributes mtime(long seconds, int nanos) {
    mtime = seconds;
    mtimeNsec = nanos;
    return this;
  }

  public FuseAttributes ctime(long seconds, int nanos) {
    ctime = seconds;
    ctimeNsec = nanos;
    return this;
  }

  /** The three times as nanoseconds since 1970. */
  public FuseAttributes times(long atimeNanos, long mtimeNanos, long ctimeNanos) {
    atime(Math.floorDiv(atimeNanos, NANOS), (int) Math.floorMod(atimeNanos, NANOS));
    mtime(Math.floorDiv(mtimeNanos, NANOS), (int) Math.floorMod(mtimeNanos, NANOS));
    return ctime(Math.floorDiv(ctimeNanos, NANOS), (int) Math.floorMod(ctimeNanos, NANOS));
  }

  public long ino() {
    return ino;
  }

  public long size() {
    return size;
  }

  public int mode() {
    return mode;
  }

  void write(MemorySegment to, long at) {
    to.set(Wire.U64, at + Wire.Attr.INO, ino);
    to.set(Wire.U64, at + Wire.Attr.SIZE, size);
    to.set(Wire.U64, at + Wire.Attr.BLOCKS, blocks);
    to.set(Wire.U64, at + Wire.Attr.ATIME, atime);
    to.set(Wire.U64, at + Wire.Attr.MTIME, mtime);
    to.set(Wire.U64, at + Wire.Attr.CTIME, ctime);
    to.set(Wire.U32, at + Wire.Attr.ATIME_NSEC, atimeNsec);
    to.set(Wire.U32, at + Wire.Attr.MTIME_NSEC, mtimeNsec);
    to.set(Wire.U32, at + Wire.Attr.CTIME_NSEC, ctimeNsec);
    to.set(Wire.U32, at + Wire.Attr.MODE, mode);
    to.set(Wire.U32, at + Wire.Attr.NLINK, nlink);
    to.set(Wire.U32, at + Wire.Attr.UID, uid);
    to.set(Wire.U32, at + Wire.Attr.GID, gid);
    to.set(Wire.U32, at + Wire.Attr.RDEV, rdev);
    to.set(Wire.U32, at + Wire.Attr.BLKSIZE, blksize);
    to.set(Wire.U32, at + Wire.Attr.FLAGS, 0);
  }

  /** Writes a statx structure with the given birth time into the zeroed reply at {@code at}. */
  void writeStatx(MemorySegment to, long at, long btimeNanos) {
    to.set(Wire.U32, at + Wire.StatxReply.MASK, STATX_BASIC | STATX_BTIME);
    to.set(Wire.U32, at + Wire.StatxReply.BLKSIZE, blksize);
    to.set(Wire.U32, at + Wire.StatxReply.NLINK, nlink);
    to.set(Wire.U32, at + Wire.StatxReply.UID, uid);
    to.set(Wire.U32, at + Wire.StatxReply.GID, gid);
    to.set(Wire.U16, at + Wire.StatxReply.MODE, (short) mode);
    to.set(Wire.U64, at + Wire.StatxReply.INO, ino);
    to.set(Wire.U64, at + Wire.StatxReply.SIZE, size);
    to.set(Wire.U64, at + Wire.StatxReply.BLOCKS, blocks);
    time(to, at + Wire.StatxReply.ATIME, atime, atimeNsec);
    time(to, at + Wire.StatxReply.MTIME, mtime, mtimeNsec);
    time(to, at + Wire.StatxReply.CTIME, ctime, ctimeNsec);
    time(
        to,
        at + Wire.StatxReply.BTIME,
        Math.floorDiv(btimeNanos, NANOS),
        (int) Math.floorMod(btimeNanos, NANOS));
    to.set(Wire.U32, at + Wire.StatxReply.RDEV_MAJOR, (rdev >>> 8) & 0xfff);
    to.set(Wire.U32, at + Wire.StatxReply.RDEV_MINOR, (rdev & 0xff) | ((rdev >>> 12) & 0xfff00));
  }

  private static void time(MemorySegment to, long at, long seconds, int nanos) {
    to.set(Wire.U64, at, seconds);
    to.set(Wire.U32, at + Wire.StatxReply.NSEC_AFTER_TIME, nanos);
  }
}
