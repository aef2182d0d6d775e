package io.millrace.fuse;

/**
 * What the reply to OPEN, OPENDIR or CREATE may tell the kernel about the handle; combined by or.
 */
public final class OpenReplyFlags {
  /** Reads and writes go past the page cache. */
  public static final int DIRECT_IO = 1;

  /**
   * Cached pages of earlier opens stay valid (H24: exactly when the version is the one they hold).
   */
  public static final int KEEP_CACHE = 1 << 1;

  public static final int NONSEEKABLE = 1 << 2;

  /** The kernel may cache this directory's listing. */
  public static final int CACHE_DIR = 1 << 3;

  /** No FLUSH at close; breaks locks held by the file system (H25). */
  public static final int NOFLUSH = 1 << 5;

  public static final int PARALLEL_DIRECT_WRITES = 1 << 6;

  private OpenReplyFlags() {}
}
