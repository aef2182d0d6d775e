package io.millrace.fuse;

/**
 * A lock as GETLK, SETLK and SETLKW name it.
 *
 * @param fh the handle that it is asked through
 * @param owner the kernel's name for a process (fcntl) or an open file description (OFD, flock)
 * @param start first byte
 * @param end last byte, inclusive; {@link Long#MAX_VALUE}: to the end of the file
 * @param type {@link #READ}, {@link #WRITE} or {@link #UNLOCK}
 * @param pid of the process that asks; 0 where it unlocks
 * @param whole flock(2)
 */
public record FileLock(
    long fh, long owner, long start, long end, int type, int pid, boolean whole) {
  public static final int READ = 0;
  public static final int WRITE = 1;
  public static final int UNLOCK = 2;

  private static final int WHOLE = 1;

  static FileLock of(FuseRequest r) {
    return new FileLock(
        r.u64(Wire.LockRequest.FH),
        r.u64(Wire.LockRequest.OWNER),
        r.u64(Wire.LockRequest.START),
        r.u64(Wire.LockRequest.END),
        r.u32(Wire.LockRequest.TYPE),
        r.u32(Wire.LockRequest.PID),
        (r.u32(Wire.LockRequest.FLAGS) & WHOLE) != 0);
  }
}
