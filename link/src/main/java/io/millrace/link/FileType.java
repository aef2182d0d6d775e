package io.millrace.link;

import io.millrace.proto.Inode;

/** The type bits of st_mode, as Linux numbers them. */
final class FileType {
  static final int MASK = 0170000;
  static final int DIRECTORY = 0040000;
  static final int REGULAR = 0100000;
  static final int SYMLINK = 0120000;

  private FileType() {}

  static boolean isDirectory(Inode inode) {
    return (inode.getMode() & MASK) == DIRECTORY;
  }

  static boolean isRegular(Inode inode) {
    return (inode.getMode() & MASK) == REGULAR;
  }

  static boolean isSymlink(Inode inode) {
    return (inode.getMode() & MASK) == SYMLINK;
  }
}
