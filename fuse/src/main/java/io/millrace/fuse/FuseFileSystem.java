package io.millrace.fuse;

/**
 * A file system as the kernel asks for it, one method per operation. Methods run on worker threads,
 * several at once; each must answer its request exactly once, by {@code request} before it returns,
 * or later by what {@link FuseRequest#detach} gave. What must not happen is that it waits for
 * something only another request can bring: there are few workers. Anything thrown becomes the
 * answer through {@link #errnoOf}; returning without an answer is EIO.
 *
 * <p>Nodes are named by nodeid; 1 is the root. Names are bytes and in the request. {@code fh} is
 * what the open or create was answered with. The default of each method answers ENOSYS, which tells
 * the kernel never to ask again for open, opendir, flush, fsync, access, xattr, fallocate, lseek,
 * copy_file_range, statx, syncfs; open and flush answered so give zero round trips per open (the
 * mount then keeps pages until they are invalidated).
 */
public interface FuseFileSystem {
  /** Called once, before any request. The session's notifier and counts are usable from here on. */
  default void init(FuseSession session) {}

  /** Called once, after the last request, when the mount has ended. */
  default void destroy() {}

  /** The errno for something thrown by a method here; EIO (5) is logged. */
  default int errnoOf(Throwable failure) {
    return FuseErrno.EIO;
  }

  /**
   * The kernel holds the node no more. A lookup answered at the same moment may count it again: one
   * who drops state must look at {@link LookupCounts#contains} under the lock that its lookups
   * take.
   *
   * @param value what was last set as the node's value in the counts
   */
  default void forgotten(long nodeid, long value) {}

  /** Finds {@code name()}; answered by entry, noEntry or error(ENOENT). */
  default void lookup(FuseRequest request, long parent) {
    request.error(FuseErrno.ENOSYS);
  }

  /** Answered by attr. {@code fh} counts only if {@link FuseRequest#hasHandle}. */
  default void getattr(FuseRequest request, long nodeid, long fh) {
    request.error(FuseErrno.ENOSYS);
  }

  /** Answered by statx. */
  default void statx(FuseRequest request, long nodeid, long fh, int flags, int mask) {
    request.error(FuseErrno.ENOSYS);
  }

  /** Answered by attr. */
  default void setattr(FuseRequest request, long nodeid, SetattrIn changes) {
    request.error(FuseErrno.ENOSYS);
  }

  /** Answered by data. */
  default void readlink(FuseRequest request, long nodeid) {
    request.error(FuseErrno.ENOSYS);
  }

  /** {@code name()} is the new name, {@code secondName()} the target; answered by entry. */
  default void symlink(FuseRequest request, long parent) {
    request.error(FuseErrno.ENOSYS);
  }

  /** Answered by entry. */
  default void mknod(FuseRequest request, long parent, int mode, int umask, int rdev) {
    request.error(FuseErrno.ENOSYS);
  }

  /** Answered by entry. */
  default void mkdir(FuseRequest request, long parent, int mode, int umask) {
    request.error(FuseErrno.ENOSYS);
  }

  default void unlink(FuseRequest request, long parent) {
    request.error(FuseErrno.ENOSYS);
  }

  default void rmdir(FuseRequest request, long parent) {
    request.error(FuseErrno.ENOSYS);
  }

  /**
   * {@code name()} becomes {@code secondName()}; flags as of renameat2(2): 1 NOREPLACE, 2 EXCHANGE,
   * 4 WHITEOUT.
   */
  default void rename(FuseRequest request, long parent, long newParent, int flags) {
    request.error(FuseErrno.ENOSYS);
  }

  /** Gives {@code nodeid} another name; answered by entry. */
  default void link(FuseRequest request, long nodeid, long newParent) {
    request.error(FuseErrno.ENOSYS);
  }

  /** Answered by opened. With O_TRUNC in {@code flags} the file is cut to nothing too. */
  default void open(FuseRequest request, long nodeid, int flags) {
    request.error(FuseErrno.ENOSYS);
  }

  /** Answered by data; fewer bytes than {@code size} mean the end of the file. */
  default void read(FuseRequest request, long nodeid, long fh, long offset, int size) {
    request.error(FuseErrno.ENOSYS);
  }

  /** The data is in {@code payload()} or {@code takePayload()}; answered by written. */
  default void write(FuseRequest request, long nodeid, long fh, long offset, int size) {
    request.error(FuseErrno.ENOSYS);
  }

  default void statfs(FuseRequest request, long nodeid) {
    request.error(FuseErrno.ENOSYS);
  }

  /** The last descriptor of an open is closed; nobody waits for it. */
  default void release(FuseRequest request, long nodeid, long fh, int flags) {
    request.ok();
  }

  /**
   * What another owner holds in the way of this lock; answered by lock. As {@link #setlk} only
   * where {@link FuseConfig#locks} asked for it.
   */
  default void getlk(FuseRequest request, long nodeid, FileLock lock) {
    request.error(FuseErrno.ENOSYS);
  }

  /**
   * Takes, changes or gives up a lock. Byte ranges of {@link FuseRequest#lockOwner} end at each
   * flush, the lock of the whole file at a release that {@link FuseRequest#releaseUnlocks}.
   *
   * @param wait until it can be had
   */
  default void setlk(FuseRequest request, long nodeid, FileLock lock, boolean wait) {
    request.error(FuseErrno.ENOSYS);
  }

  default void fsync(FuseRequest request, long nodeid, long fh, boolean dataOnly) {
    request.error(FuseErrno.ENOSYS);
  }

  /** {@code name()} and {@code xattrValue()}; flags 1 CREATE, 2 REPLACE. */
  default void setxattr(FuseRequest request, long nodeid, int flags) {
    request.error(FuseErrno.ENOSYS);
  }

  /** Answered by xattr. */
  default void getxattr(FuseRequest request, long nodeid, int size) {
    request.error(FuseErrno.ENOSYS);
  }

  /** Answered by xattr: names, each with a 0 byte after it. */
  default void listxattr(FuseRequest request, long nodeid, int size) {
    request.error(FuseErrno.ENOSYS);
  }

  default void removexattr(FuseRequest request, long nodeid) {
    request.error(FuseErrno.ENOSYS);
  }

  /** A descriptor is being closed, and close(2) waits for the answer. */
  default void flush(FuseRequest request, long nodeid, long fh) {
    request.error(FuseErrno.ENOSYS);
  }

  /** Answered by opened. */
  default void opendir(FuseRequest request, long nodeid, int flags) {
    request.error(FuseErrno.ENOSYS);
  }

  /**
   * Entries after {@code cookie} (0: from the start); answered by directory. Serves READDIRPLUS
   * too.
   */
  default void readdir(FuseRequest request, long nodeid, long fh, long cookie) {
    request.error(FuseErrno.ENOSYS);
  }

  default void releasedir(FuseRequest request, long nodeid, long fh) {
    request.ok();
  }

  default void fsyncdir(FuseRequest request, long nodeid, long fh, boolean dataOnly) {
    request.error(FuseErrno.ENOSYS);
  }

  /** Not asked with default_permissions. */
  default void access(FuseRequest request, long nodeid, int mask) {
    request.error(FuseErrno.ENOSYS);
  }

  /** Answered by created. */
  default void create(FuseRequest request, long parent, int flags, int mode, int umask) {
    request.error(FuseErrno.ENOSYS);
  }

  /** An unnamed file; answered by created. */
  default void tmpfile(FuseRequest request, long parent, int flags, int mode, int umask) {
    request.error(FuseErrno.ENOSYS);
  }

  default void fallocate(
      FuseRequest request, long nodeid, long fh, long offset, long length, int mode) {
    request.error(FuseErrno.ENOSYS);
  }

  /** Only SEEK_DATA (3) and SEEK_HOLE (4) get here; answered by seeked. */
  default void lseek(FuseRequest request, long nodeid, long fh, long offset, int whence) {
    request.error(FuseErrno.ENOSYS);
  }

  /** Answered by written. */
  default void copyFileRange(FuseRequest request, CopyRange range) {
    request.error(FuseErrno.ENOSYS);
  }

  default void ioctl(FuseRequest request, long nodeid) {
    request.error(FuseErrno.ENOTTY);
  }

  default void poll(FuseRequest request, long nodeid) {
    request.error(FuseErrno.ENOSYS);
  }

  /** Only asked of file systems mounted by fuseblk or virtiofs; here for completeness. */
  default void syncfs(FuseRequest request, long nodeid) {
    request.error(FuseErrno.ENOSYS);
  }
}
