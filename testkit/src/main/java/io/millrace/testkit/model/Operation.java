package io.millrace.testkit.model;

import java.util.Locale;

/**
 * One step of a run, complete in itself: it means something whatever came before, so that any part
 * of a run can be run again. Paths are below the run's directory, bytes as ISO 8859-1.
 *
 * @param other the second name: a target of rename, link and symlink, or an attribute's name
 * @param slot which of the side's open descriptors
 * @param at which of several mounts does it
 * @param asUser by somebody who is not root
 * @param probe whether to look which times it changed
 */
public record Operation(
    Kind kind,
    String path,
    String other,
    int slot,
    int slot2,
    long offset,
    long length,
    int flags,
    int mode,
    long seed,
    int at,
    boolean asUser,
    boolean probe) {

  /** What it does; the weight says how often. */
  public enum Kind {
    OPEN(150),
    CLOSE(55),
    READ(45),
    WRITE(70),
    PREAD(60),
    PWRITE(90),
    LSEEK(15),
    FTRUNCATE(25),
    TRUNCATE(15),
    FALLOCATE(25),
    COPY_RANGE(10),
    MAPPED_STORE(15),
    MAPPED_LOAD(15),
    MAP_HOLD(4),
    MAP_TOUCH(15),
    FSYNC(6),
    FDATASYNC(4),
    SYNCFS(1),
    MKDIR(40),
    RMDIR(20),
    UNLINK(35),
    RENAME(55),
    LINK(25),
    LINK_OPEN(6),
    SYMLINK(15),
    READLINK(10),
    MKNOD(10),
    CHMOD(20),
    FCHMOD(10),
    CHOWN(15),
    FCHOWN(6),
    UTIMENS(20),
    FUTIMENS(10),
    SETXATTR(20),
    FSETXATTR(6),
    GETXATTR(15),
    FGETXATTR(5),
    LISTXATTR(10),
    REMOVEXATTR(10),
    STAT(50),
    FSTAT(25),
    ACCESS(10),
    READDIR(20),
    READDIR_PART(40),
    STATFS(2),
    /** All descriptors closed, then the mount's process ended and a new one started. */
    REMOUNT(0),
    /** All descriptors closed, then the node ended and started anew. */
    RESTART_NODE(0);

    final int weight;

    Kind(int weight) {
      this.weight = weight;
    }
  }

  static Operation event(Kind kind) {
    return new Operation(kind, "", "", 0, 0, 0, 0, 0, 0, 0, 0, false, false);
  }

  /** A change of owner that names neither user nor group. */
  boolean ownsNobody() {
    return (kind == Kind.CHOWN || kind == Kind.FCHOWN) && flags == -1 && mode == -1;
  }

  private static String printable(String path) {
    if (path.length() > 60) {
      return path.substring(0, 20) + "...(" + path.length() + " bytes)";
    }
    var out = new StringBuilder("\"");
    for (int i = 0; i < path.length(); i++) {
      char c = path.charAt(i);
      if (c < ' ' || c > '~') {
        out.append("\\x").append(Integer.toHexString(c));
      } else {
        out.append(c);
      }
    }
    return out.append('"').toString();
  }

  @Override
  public String toString() {
    var out = new StringBuilder(kind.name().toLowerCase(Locale.ROOT));
    if (!path.isEmpty()) {
      out.append(' ').append(printable(path));
    }
    if (!other.isEmpty()) {
      out.append(' ').append(printable(other));
    }
    out.append(" s").append(slot);
    show(out, " s", slot2);
    show(out, " off=", offset);
    show(out, " len=", length);
    if (flags != 0) {
      out.append(" flags=0").append(Integer.toOctalString(flags));
    }
    if (mode != 0) {
      out.append(" mode=0").append(Integer.toOctalString(mode));
    }
    show(out, " mount ", at);
    return out.append(asUser ? " as user" : "").append(probe ? " probed" : "").toString();
  }

  private static void show(StringBuilder out, String name, long value) {
    if (value != 0) {
      out.append(name).append(value);
    }
  }
}
