package io.millrace.core.path;

import io.millrace.proto.Inode;

/** The type bits of st_mode, as Linux numbers them. */
public final class FileType {
  public static final int MASK = 0170000;
  public static final int DIRECTORY = 0040000;
  public static final int REGULAR = 0100000;
  public static final int SYMLINK = 0120000;

  private FileType() {}

  public static boolean isDirectory(Inode inode) {
    return (inode.getMode() & MASK) == DIRECTORY;
  }

  public static boolean isRegular(Inode inode) {
    return (inode.getMode() & MASK) == REGULAR;
  }

  public static boolean isSymlink(Inode inode) {
    return (inode.getMode() & MASK) == SYMLINK;
  }
}
