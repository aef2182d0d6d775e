package io.millrace.core.api;

/** Error numbers as Linux local file systems give them (asm-generic/errno.h). */
public enum Errno {
  EPERM(1),
  ENOENT(2),
  EINTR(4),
  EIO(5),
  ENXIO(6),
  E2BIG(7),
  EAGAIN(11),
  ENOMEM(12),
  EACCES(13),
  EBUSY(16),
  EEXIST(17),
  EXDEV(18),
  ENOTDIR(20),
  EISDIR(21),
  EINVAL(22),
  ENFILE(23),
  EFBIG(27),
  ENOSPC(28),
  EROFS(30),
  EMLINK(31),
  ERANGE(34),
  EDEADLK(35),
  ENAMETOOLONG(36),
  ENOLCK(37),
  ENOSYS(38),
  ENOTEMPTY(39),
  ELOOP(40),
  ENODATA(61),
  EPROTO(71),
  EOVERFLOW(75),
  EBADMSG(74),
  EOPNOTSUPP(95),
  EADDRINUSE(98),
  ENOTCONN(107),
  ETIMEDOUT(110),
  ECONNREFUSED(111),
  ESTALE(116),
  EDQUOT(122),
  ECANCELED(125);

  private final int code;

  Errno(int code) {
    this.code = code;
  }

  /** The positive number the kernel uses. */
  public int code() {
    return code;
  }

  /** The errno with this number, or EIO for a number this list does not have. */
  public static Errno of(int code) {
    for (Errno errno : values()) {
      if (errno.code == code) {
        return errno;
      }
    }
    return EIO;
  }
}
