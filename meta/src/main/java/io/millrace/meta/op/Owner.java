package io.millrace.meta.op;

import io.millrace.meta.row.InodeState;
import io.millrace.meta.row.Mode;

/** Group of new inodes: the directory's, where it has the setgid bit. */
final class Owner {
  private Owner() {}

  static int gid(Scope scope, InodeState dir) {
    return inherits(dir) ? dir.gid : scope.command().getGid();
  }

  static boolean inherits(InodeState dir) {
    return (dir.mode & Mode.SETGID) != 0;
  }
}
