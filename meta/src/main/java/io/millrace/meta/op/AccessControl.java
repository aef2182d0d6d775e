package io.millrace.meta.op;

import com.google.protobuf.ByteString;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.meta.row.InodeState;
import io.millrace.meta.row.Keys;
import io.millrace.meta.row.Mode;
import io.millrace.meta.row.RowWriter;
import io.millrace.proto.SetXattr;
import java.util.Arrays;

/**
 * Keeps access control lists and mode bits in step, as ext4 does. Invariant: an inode has an access
 * list only where it says more than the mode, and the mode is what that list shows. The caller
 * saves the inode.
 */
final class AccessControl {
  static final ByteString ACCESS = ByteString.copyFromUtf8("system.posix_acl_access");
  static final ByteString DEFAULT = ByteString.copyFromUtf8("system.posix_acl_default");
  private static final int BITS = 0777;
  private static final int FORMAT = 1;

  private AccessControl() {}

  static boolean isAcl(ByteString name) {
    return name.equals(ACCESS) || name.equals(DEFAULT);
  }

  private static byte[] key(InodeState inode, ByteString name) {
    return Keys.xattr(inode.ino, name.toByteArray());
  }

  /** Null for none. */
  private static Acl get(Scope scope, InodeState inode, ByteString name) {
    byte[] row = inode.hasXattrs ? scope.tree().batch().get(key(inode, name)) : null;
    return row == null ? null : Acl.parse(Arrays.copyOfRange(row, 1, row.length));
  }

  /** As the kernel's xattr has it; null for none. */
  static ByteString accessList(Scope scope, InodeState inode) {
    byte[] row = inode.hasXattrs ? scope.tree().batch().get(key(inode, ACCESS)) : null;
    return row == null ? null : ByteString.copyFrom(row, 1, row.length - 1);
  }

  private static void put(Scope scope, InodeState inode, ByteString name, Acl acl) {
    byte[] value = acl.bytes();
    byte[] row = new RowWriter(value.length + 1).u8(FORMAT).rest(value).take();
    scope.tree().batch().put(key(inode, name), row);
    inode.hasXattrs = true;
  }

  /** A new inode's permissions: the directory's default list decides, else the umask. */
  static void inherit(Scope scope, InodeState dir, InodeState child, int umask) {
    if (child.isSymlink()) {
      return;
    }
    Acl fromDir = get(scope, dir, DEFAULT);
    if (fromDir == null) {
      child.mode &= ~(umask & BITS);
      return;
    }
    Acl acl = fromDir.inherited(child.mode & BITS);
    child.mode = (child.mode & ~BITS) | acl.mode();
    if (acl.isExtended()) {
      put(scope, child, ACCESS, acl);
    }
    if (child.isDirectory()) {
      put(scope, child, DEFAULT, fromDir);
    }
  }

  /** The mode was changed. */
  static void changed(Scope scope, InodeState inode) {
    Acl acl = get(scope, inode, ACCESS);
    if (acl != null) {
      put(scope, inode, ACCESS, acl.withMode(inode.mode & BITS));
    }
  }

  static void set(Scope scope, InodeState inode, SetXattr op) {
    Acl acl = Acl.parse(Scope.bytes(op.getValue()));
    if (inode.isSymlink()) {
      throw new FsException(Errno.EOPNOTSUPP, "symbolic links have no ACL", "inode", inode.ino);
    }
    if (op.getName().equals(DEFAULT)) {
      if (!inode.isDirectory()) {
        throw new FsException(Errno.EACCES, "a default ACL is a directory's", "inode", inode.ino);
      }
      put(scope, inode, DEFAULT, acl);
      return;
    }
    inode.mode = (inode.mode & ~BITS) | acl.mode();
    if (op.getKillSgid()) {
      inode.mode &= ~Mode.SETGID;
    }
    if (acl.isExtended()) {
      put(scope, inode, ACCESS, acl);
    } else {
      remove(scope, inode, ACCESS);
    }
  }

  /** Takes a list away, if there is one; the mode stays. */
  static void remove(Scope scope, InodeState inode, ByteString name) {
    scope.tree().batch().delete(key(inode, name));
  }
}
