package io.millrace.meta.op;

import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * A POSIX access control list in the form of the kernel's xattr: version 2, then entries of tag,
 * permissions and id, little-endian. The kernel has checked its rules; here only its shape is.
 */
record Acl(List<Entry> entries) {
  private static final int VERSION = 2;
  private static final int ENTRY_BYTES = 8;
  private static final int USER_OBJ = 1;
  private static final int GROUP_OBJ = 4;
  private static final int MASK = 0x10;
  private static final int OTHER = 0x20;
  private static final int USER_SHIFT = 6;
  private static final int GROUP_SHIFT = 3;
  private static final int RWX = 7;

  record Entry(int tag, int permissions, int id) {
    Entry with(int newPermissions) {
      return new Entry(tag, newPermissions, id);
    }
  }

  /**
   * @throws FsException EINVAL not an ACL; EOPNOTSUPP of another version
   */
  static Acl parse(byte[] value) {
    ByteBuffer from = ByteBuffer.wrap(value).order(ByteOrder.LITTLE_ENDIAN);
    if (value.length < Integer.BYTES || (value.length - Integer.BYTES) % ENTRY_BYTES != 0) {
      throw new FsException(Errno.EINVAL, "access control list", "length", value.length);
    }
    if (from.getInt() != VERSION) {
      throw new FsException(Errno.EOPNOTSUPP, "access control list of another version");
    }
    var entries = new ArrayList<Entry>();
    while (from.hasRemaining()) {
      entries.add(new Entry(from.getShort(), from.getShort() & RWX, from.getInt()));
    }
    var acl = new Acl(List.copyOf(entries));
    if (acl.has(USER_OBJ) && acl.has(GROUP_OBJ) && acl.has(OTHER)) {
      return acl;
    }
    throw new FsException(Errno.EINVAL, "access control list without owner, group or others");
  }

  byte[] bytes() {
    ByteBuffer to =
        ByteBuffer.allocate(Integer.BYTES + entries.size() * ENTRY_BYTES)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putInt(VERSION);
    for (Entry entry : entries) {
      to.putShort((short) entry.tag).putShort((short) entry.permissions).putInt(entry.id);
    }
    return to.array();
  }

  private boolean has(int tag) {
    return entries.stream().anyMatch(entry -> entry.tag == tag);
  }

  /** Whether it says more than mode bits can. */
  boolean isExtended() {
    return entries.size() > 3;
  }

  private static int shift(int tag) {
    return switch (tag) {
      case USER_OBJ -> USER_SHIFT;
      case GROUP_OBJ, MASK -> GROUP_SHIFT;
      default -> 0;
    };
  }

  /** Whether the mode shows it: the mask stands for the group where there is one. */
  private boolean isShown(int tag) {
    return tag == USER_OBJ || tag == OTHER || tag == (has(MASK) ? MASK : GROUP_OBJ);
  }

  /** The nine bits that stat(2) shows. */
  int mode() {
    int mode = 0;
    for (Entry entry : entries) {
      mode |= isShown(entry.tag) ? entry.permissions << shift(entry.tag) : 0;
    }
    return mode;
  }

  /** As chmod(2) changes it. */
  Acl withMode(int mode) {
    return new Acl(
        entries.stream()
            .map(entry -> isShown(entry.tag) ? entry.with(mode >> shift(entry.tag) & RWX) : entry)
            .toList());
  }

  /** As a new inode, asked for with this mode, inherits it. */
  Acl inherited(int mode) {
    return withMode(mode() & mode);
  }
}
