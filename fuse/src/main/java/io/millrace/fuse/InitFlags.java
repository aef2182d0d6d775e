package io.millrace.fuse;

/** The feature bits of INIT; bits from 32 on travel in the second word. */
public final class InitFlags {
  public static final long ASYNC_READ = 1L;
  public static final long POSIX_LOCKS = 1L << 1;
  public static final long FILE_OPS = 1L << 2;
  public static final long ATOMIC_O_TRUNC = 1L << 3;
  public static final long EXPORT_SUPPORT = 1L << 4;
  public static final long BIG_WRITES = 1L << 5;
  public static final long DONT_MASK = 1L << 6;
  public static final long FLOCK_LOCKS = 1L << 10;
  public static final long AUTO_INVAL_DATA = 1L << 12;
  public static final long DO_READDIRPLUS = 1L << 13;
  public static final long READDIRPLUS_AUTO = 1L << 14;
  public static final long ASYNC_DIO = 1L << 15;
  public static final long WRITEBACK_CACHE = 1L << 16;
  public static final long NO_OPEN_SUPPORT = 1L << 17;
  public static final long PARALLEL_DIROPS = 1L << 18;
  public static final long POSIX_ACL = 1L << 20;
  public static final long MAX_PAGES = 1L << 22;
  public static final long CACHE_SYMLINKS = 1L << 23;
  public static final long NO_OPENDIR_SUPPORT = 1L << 24;
  public static final long EXPLICIT_INVAL_DATA = 1L << 25;
  public static final long HANDLE_KILLPRIV_V2 = 1L << 28;
  public static final long SETXATTR_EXT = 1L << 29;
  public static final long INIT_EXT = 1L << 30;
  public static final long HAS_EXPIRE_ONLY = 1L << 35;
  public static final long DIRECT_IO_ALLOW_MMAP = 1L << 36;
  public static final long HAS_RESEND = 1L << 39;

  private InitFlags() {}
}
