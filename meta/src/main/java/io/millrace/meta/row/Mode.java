package io.millrace.meta.row;

/** Bits of st_mode. */
public final class Mode {
  public static final int TYPE = 0170000;
  public static final int REGULAR = 0100000;
  public static final int DIRECTORY = 0040000;
  public static final int SYMLINK = 0120000;
  public static final int PERMISSIONS = 07777;
  public static final int SETUID = 04000;
  public static final int SETGID = 02000;
  public static final int GROUP_EXECUTE = 010;

  private Mode() {}

  /** As a write by an unprivileged user leaves the bits. */
  public static int withoutPrivilege(int mode) {
    int cleared = mode & ~SETUID;
    return (mode & GROUP_EXECUTE) != 0 ? cleared & ~SETGID : cleared;
  }
}
