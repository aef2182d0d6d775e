package io.millrace.meta.op;

import com.google.protobuf.ByteString;
import io.millrace.core.access.Caller;
import io.millrace.core.access.Permissions;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.meta.row.InodeState;
import io.millrace.proto.Command;
import io.millrace.proto.SetAttr;

/**
 * Whether the caller of a client's command may do what it does, asked where the operation has its
 * inodes at hand: no row is read for it but access lists, where there are any. The node's own
 * commands are not asked, and root may do everything.
 */
final class Allowed {
  private static final int STICKY = 01000;
  private static final int CHANGE_DIRECTORY = Permissions.WRITE | Permissions.EXECUTE;
  private static final ByteString FILE_CAPABILITIES =
      ByteString.copyFromUtf8("security.capability");
  private static final ByteString USER = ByteString.copyFromUtf8("user.");

  private Allowed() {}

  private static boolean isAsked(Scope scope) {
    return scope.session() != 0 && scope.command().getUid() != 0;
  }

  private static Caller caller(Scope scope) {
    Command command = scope.command();
    return new Caller(
        command.getUid(), command.getGid(), command.getGroupsList(), command.getCapabilities());
  }

  private static void access(Scope scope, InodeState inode, int wanted) {
    ByteString acl = AccessControl.accessList(scope, inode);
    if (!new Permissions(inode.uid, inode.gid, inode.mode, acl).allow(caller(scope), wanted)) {
      throw new FsException(Errno.EACCES, "permission denied", "inode", inode.ino);
    }
  }

  private static FsException notOwner(InodeState inode) {
    return new FsException(Errno.EPERM, "not the owner", "inode", inode.ino);
  }

  /** Before a name is looked for: who may not search hears of none. */
  static void search(Scope scope, InodeState dir) {
    if (isAsked(scope)) {
      access(scope, dir, Permissions.EXECUTE);
    }
  }

  /** A file that was there is opened. */
  static void open(Scope scope, InodeState file, int flags) {
    if (isAsked(scope)) {
      access(scope, file, Permissions.wanted(flags));
    }
  }

  /** A name comes into the directory. */
  static void add(Scope scope, InodeState dir) {
    if (isAsked(scope)) {
      access(scope, dir, CHANGE_DIRECTORY);
    }
  }

  /** The directory loses this name. */
  static void remove(Scope scope, InodeState dir, InodeState victim) {
    if (!isAsked(scope)) {
      return;
    }
    access(scope, dir, CHANGE_DIRECTORY);
    Caller caller = caller(scope);
    boolean sticky = (dir.mode & STICKY) != 0;
    if (sticky && dir.uid != caller.uid() && !caller.owns(victim.uid)) {
      throw new FsException(Errno.EPERM, "another's file in a sticky directory", "dir", dir.ino);
    }
  }

  /** Its entry for the parent changes, if it is a directory. */
  static void move(Scope scope, InodeState inode) {
    if (isAsked(scope) && inode.isDirectory()) {
      access(scope, inode, Permissions.WRITE);
    }
  }

  static void setAttr(Scope scope, InodeState inode, SetAttr op) {
    if (!isAsked(scope)) {
      return;
    }
    Caller caller = caller(scope);
    boolean owner = caller.owns(inode.uid);
    boolean oneNow = op.getAtimeNow() != op.getMtimeNow() && !op.hasSize();
    boolean setsTime = op.hasAtimeNs() || op.hasMtimeNs() || oneNow; // utimensat(2)
    if ((op.hasMode() || setsTime) && !owner) {
      throw notOwner(inode);
    }
    if ((op.hasUid() || op.hasGid()) && !mayGive(caller, inode, op)) {
      throw notOwner(inode);
    }
    boolean touches = op.getAtimeNow() && op.getMtimeNow() && !owner;
    if (touches || (op.hasSize() && !op.getOpened())) {
      access(scope, inode, Permissions.WRITE | (op.getReads() ? Permissions.READ : 0));
    }
  }

  /** The owner may give it to a group of his. */
  private static boolean mayGive(Caller caller, InodeState inode, SetAttr op) {
    boolean sameUser = !op.hasUid() || op.getUid() == inode.uid;
    boolean hisGroup = !op.hasGid() || op.getGid() == inode.gid || caller.isIn(op.getGid());
    return caller.has(Caller.CHOWN) || (caller.uid() == inode.uid && sameUser && hisGroup);
  }

  /** But a file's capabilities: the kernel takes them away in the name of any writer. */
  static void removeXattr(Scope scope, InodeState inode, ByteString name) {
    if (!name.equals(FILE_CAPABILITIES)) {
      setXattr(scope, inode, name);
    }
  }

  static void setXattr(Scope scope, InodeState inode, ByteString name) {
    if (!isAsked(scope)) {
      return;
    }
    Caller caller = caller(scope);
    if (AccessControl.isAcl(name)) {
      if (!caller.owns(inode.uid)) {
        throw notOwner(inode);
      }
    } else if (name.startsWith(USER)) {
      if (inode.isDirectory() && (inode.mode & STICKY) != 0 && !caller.owns(inode.uid)) {
        throw notOwner(inode);
      }
      access(scope, inode, Permissions.WRITE);
    } else if (!caller.has(name.equals(FILE_CAPABILITIES) ? Caller.SETFCAP : Caller.SYS_ADMIN)) {
      throw new FsException(Errno.EPERM, "an attribute of the system's", "inode", inode.ino);
    }
  }
}
