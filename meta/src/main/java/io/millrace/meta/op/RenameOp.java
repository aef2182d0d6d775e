package io.millrace.meta.op;

import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.meta.row.InodeState;
import io.millrace.proto.CommandResult;
import io.millrace.proto.Rename;

/** Moves a name, over another if need be, or exchanges two (S9). One step, whatever the size. */
public final class RenameOp {
  private static final int NOREPLACE = 1;
  private static final int EXCHANGE = 2;

  private final Scope scope;
  private final Rename op;
  private final InodeState oldDir;
  private final InodeState newDir;
  private final byte[] newName;
  private final InodeState moved;
  private InodeState target;

  private RenameOp(Scope scope, Rename op) {
    this.scope = scope;
    this.op = op;
    oldDir = scope.tree().directory(op.getOldDir());
    newDir = scope.tree().directory(op.getNewDir());
    byte[] oldName = EntryName.checked(op.getOldName(), Errno.EBUSY);
    newName = EntryName.checked(op.getNewName(), Errno.EBUSY);
    moved = scope.tree().lookup(oldDir.ino, oldName);
  }

  public static CommandResult.Builder apply(Scope scope, Rename op) {
    int flags = op.getFlags();
    if (flags < 0 || flags > EXCHANGE) {
      throw new FsException(Errno.EINVAL, "rename flags", "flags", flags);
    }
    return new RenameOp(scope, op).run();
  }

  private CommandResult.Builder run() {
    Allowed.search(scope, oldDir);
    Allowed.search(scope, newDir);
    if (moved == null) {
      throw new FsException(Errno.ENOENT, "no such entry", "dir", oldDir.ino);
    }
    if (sameInodeAtTarget()) {
      return Scope.result(moved);
    }
    target = scope.tree().lookup(newDir.ino, newName);
    check();
    if (op.getFlags() == EXCHANGE) {
      return exchange();
    }
    CommandResult.Builder result = Scope.done();
    var follow = new ObjectFollow(scope, moved);
    if (target != null) {
      replaceTarget(follow);
      result.setReplaced(target.toProto());
    }
    moved.ctime = scope.now();
    follow.beforeMove();
    scope.tree().removeName(oldDir, moved);
    scope.tree().addName(newDir, newName, moved);
    leftTrash();
    follow.afterMove();
    scope.tree().save(moved);
    count(moved, newDir);
    scope.noteEmptied(oldDir);
    scope.touch(oldDir);
    scope.touch(newDir);
    return result.setInode(moved.toProto());
  }

  /** Two names of one file: rename(2) does nothing. */
  private boolean sameInodeAtTarget() {
    byte[] oldName = moved.name;
    long oldCookie = moved.cookie;
    InodeState there = scope.tree().lookup(newDir.ino, newName);
    boolean same = there != null && there.ino == moved.ino;
    moved.parent = oldDir.ino;
    moved.name = oldName;
    moved.cookie = oldCookie;
    if (same && op.getFlags() == NOREPLACE) {
      throw new FsException(Errno.EEXIST, "name is taken", "dir", newDir.ino);
    }
    return same;
  }

  private void check() {
    boolean exchange = op.getFlags() == EXCHANGE;
    if (target == null && exchange) {
      throw new FsException(Errno.ENOENT, "nothing to exchange with", "dir", newDir.ino);
    }
    if (target != null && op.getFlags() == NOREPLACE) {
      throw new FsException(Errno.EEXIST, "name is taken", "dir", newDir.ino);
    }
    if (oldDir.link != newDir.link) {
      throw new FsException(
          Errno.EXDEV, "rename out of or into a link", "from", oldDir.link, "to", newDir.link);
    }
    scope.quota().checkSame(oldDir.quota, newDir.quota);
    checkTrash(moved);
    if (target != null) {
      checkTrash(target);
    }
    checkLoop(moved, newDir);
    if (exchange) {
      checkLoop(target, oldDir);
    }
    checkAllowed();
    if (!exchange && target != null) {
      checkReplaceable();
    }
  }

  private void checkTrash(InodeState dir) {
    if (dir.isDirectory() && scope.tree().trashes().holds(dir.ino)) {
      throw new FsException(Errno.EBUSY, "directory is the trash's", "inode", dir.ino);
    }
  }

  /** In the order of vfs_rename(). */
  private void checkAllowed() {
    boolean exchange = op.getFlags() == EXCHANGE;
    boolean crosses = oldDir.ino != newDir.ino;
    Allowed.remove(scope, oldDir, moved);
    if (target == null) {
      Allowed.add(scope, newDir);
    } else {
      Allowed.remove(scope, newDir, target);
    }
    if (target != null && !exchange) {
      checkKinds();
    }
    if (crosses) {
      Allowed.move(scope, moved);
    }
    if (crosses && exchange) {
      Allowed.move(scope, target);
    }
  }

  private void checkLoop(InodeState inode, InodeState into) {
    boolean crosses = inode.isDirectory() && oldDir.ino != newDir.ino;
    if (crosses && scope.tree().isWithin(into, inode.ino)) {
      throw new FsException(Errno.EINVAL, "directory into itself", "inode", inode.ino);
    }
  }

  private void checkKinds() {
    if (moved.isDirectory() && !target.isDirectory()) {
      throw new FsException(Errno.ENOTDIR, "directory over a file", "inode", target.ino);
    }
    if (!moved.isDirectory() && target.isDirectory()) {
      throw new FsException(Errno.EISDIR, "file over a directory", "inode", target.ino);
    }
  }

  private void checkReplaceable() {
    if (target.isDirectory()) {
      RmdirOp.checkRemovable(scope, target);
    }
  }

  private void replaceTarget(ObjectFollow follow) {
    if (target.isDirectory()) {
      scope.removal().directory(newDir, target, scope.now());
    } else if (follow.takesObjectOf(target)) {
      scope.removal().dropName(newDir, target, op.getOpen(), scope.session(), scope.now());
    } else {
      scope.removal().unlink(newDir, target, op.getOpen(), scope.session(), scope.now());
    }
  }

  /** A directory that moves takes what is below it to another trash, or out of one. */
  private void leftTrash() {
    if (scope.trash().isInside(oldDir)) {
      scope.trash().forget(moved);
    }
    if (target != null && op.getFlags() == EXCHANGE && scope.trash().isInside(newDir)) {
      scope.trash().forget(target);
    }
    if (moved.isDirectory() || (target != null && target.isDirectory())) {
      scope.tree().directoryMoved();
    }
  }

  /** What a new quota has not got to yet must not move behind its back. */
  private void count(InodeState inode, InodeState dir) {
    if (scope.quota().awaitsCount(inode, dir)) {
      scope.quota().adopt(inode, scope.tree().quotas().get(dir.quota));
    }
  }

  private CommandResult.Builder exchange() {
    var follow = new ObjectFollow(scope, moved);
    var followTarget = new ObjectFollow(scope, target);
    byte[] oldName = moved.name;
    follow.beforeMove();
    followTarget.beforeMove();
    scope.tree().removeName(oldDir, moved);
    scope.tree().removeName(newDir, target);
    moved.ctime = scope.now();
    target.ctime = scope.now();
    scope.tree().addName(newDir, newName, moved);
    scope.tree().addName(oldDir, oldName, target);
    leftTrash();
    follow.afterMove();
    followTarget.afterMove();
    scope.tree().save(moved);
    scope.tree().save(target);
    count(moved, newDir);
    count(target, oldDir);
    scope.touch(oldDir);
    scope.touch(newDir);
    return Scope.result(moved).setReplaced(target.toProto());
  }
}
