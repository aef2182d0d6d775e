package io.millrace.fuse;

/** The fields of a SETATTR, read in place: valid until the file system's method returns. */
public final class SetattrIn {
  private static final int MODE = 1;
  private static final int UID = 1 << 1;
  private static final int GID = 1 << 2;
  private static final int SIZE = 1 << 3;
  private static final int ATIME = 1 << 4;
  private static final int MTIME = 1 << 5;
  private static final int FH = 1 << 6;
  private static final int ATIME_NOW = 1 << 7;
  private static final int MTIME_NOW = 1 << 8;
  private static final int CTIME = 1 << 10;
  private static final int KILL_SUIDGID = 1 << 11;
  private static final int ANY =
      MODE | UID | GID | SIZE | ATIME | MTIME | ATIME_NOW | MTIME_NOW | CTIME;

  private final FuseRequest request;

  SetattrIn(FuseRequest request) {
    this.request = request;
  }

  private boolean has(int bit) {
    return (request.u32(Wire.SetattrRequest.VALID) & bit) != 0;
  }

  public boolean hasMode() {
    return has(MODE);
  }

  public int mode() {
    return request.u32(Wire.SetattrRequest.MODE);
  }

  public boolean hasUid() {
    return has(UID);
  }

  public int uid() {
    return request.u32(Wire.SetattrRequest.UID);
  }

  public boolean hasGid() {
    return has(GID);
  }

  public int gid() {
    return request.u32(Wire.SetattrRequest.GID);
  }

  public boolean hasSize() {
    return has(SIZE);
  }

  public long size() {
    return request.u64(Wire.SetattrRequest.SIZE);
  }

  /** Also true for "now", which {@link #atimeIsNow} tells apart. */
  public boolean hasAtime() {
    return has(ATIME | ATIME_NOW);
  }

  public boolean atimeIsNow() {
    return has(ATIME_NOW);
  }

  public long atimeSeconds() {
    return request.u64(Wire.SetattrRequest.ATIME);
  }

  public int atimeNanos() {
    return request.u32(Wire.SetattrRequest.ATIME_NSEC);
  }

  public boolean hasMtime() {
    return has(MTIME | MTIME_NOW);
  }

  public boolean mtimeIsNow() {
    return has(MTIME_NOW);
  }

  public long mtimeSeconds() {
    return request.u64(Wire.SetattrRequest.MTIME);
  }

  public int mtimeNanos() {
    return request.u32(Wire.SetattrRequest.MTIME_NSEC);
  }

  /** Only with the writeback cache. */
  public boolean hasCtime() {
    return has(CTIME);
  }

  public long ctimeSeconds() {
    return request.u64(Wire.SetattrRequest.CTIME);
  }

  public int ctimeNanos() {
    return request.u32(Wire.SetattrRequest.CTIME_NSEC);
  }

  public boolean hasHandle() {
    return has(FH);
  }

  public long fh() {
    return request.u64(Wire.SetattrRequest.FH);
  }

  /**
   * Also clear the set-uid and set-gid bits. A request that sets nothing is sent for this alone:
   * chown(2) to nobody, or a write that must not keep them.
   */
  public boolean killsSetuid() {
    return has(KILL_SUIDGID) || !has(ANY);
  }
}
