package io.millrace.fuse;

/**
 * The error numbers this module itself needs (asm-generic/errno.h). File systems may answer any.
 */
final class FuseErrno {
  static final int EPERM = 1;
  static final int ENOENT = 2;
  static final int EINTR = 4;
  static final int EIO = 5;
  static final int EAGAIN = 11;
  static final int EACCES = 13;
  static final int EBUSY = 16;
  static final int ENODEV = 19;
  static final int EINVAL = 22;
  static final int ENOTTY = 25;
  static final int ENOSYS = 38;
  static final int ECONNABORTED = 103;
  static final int ENOTCONN = 107;

  private FuseErrno() {}
}
