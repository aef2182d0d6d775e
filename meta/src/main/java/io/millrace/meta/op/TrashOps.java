package io.millrace.meta.op;

import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.meta.row.InodeState;
import io.millrace.meta.row.TrashedRow;
import io.millrace.meta.tree.TreeWriter;
import io.millrace.proto.CommandResult;
import io.millrace.proto.PutTrash;
import io.millrace.proto.RestoreTrash;
import io.millrace.proto.TrashRecord;

/** Directories get trash, and what is in it comes back. */
public final class TrashOps {
  private TrashOps() {}

  public static CommandResult.Builder put(Scope scope, PutTrash op) {
    TrashRecord given = op.getTrash();
    InodeState root = scope.tree().directory(given.getRoot());
    TrashRecord before = scope.tree().trashes().get(root.ino);
    if (before == null && given.getOff()) {
      throw new FsException(Errno.ENOENT, "directory has no trash", "inode", root.ino);
    }
    if (scope.trash().isInside(root)) {
      throw new FsException(Errno.EINVAL, "directory is in the trash", "inode", root.ino);
    }
    TrashRecord.Builder record =
        before == null
            ? TrashRecord.newBuilder().setRoot(root.ino).setCreatedNs(scope.now())
            : before.toBuilder();
    if (!given.getOff()) {
      record.setKeepSeconds(given.getKeepSeconds());
    }
    TrashRecord opened =
        scope.trash().opened(record.setOff(given.getOff()).build(), root, scope.now());
    if (opened == null) {
      throw new FsException(Errno.EEXIST, "/.trash is something else; rename it");
    }
    scope.trash().put(opened);
    return Scope.result(root);
  }

  public static CommandResult.Builder restore(Scope scope, RestoreTrash op) {
    TreeWriter tree = scope.tree();
    InodeState inode = tree.existing(op.getIno());
    TrashedRow origin = scope.trash().origin(inode.ino);
    InodeState hour = origin == null ? null : tree.directory(inode.parent);
    // What left the trash with the directory that it was in has its origin still.
    if (hour == null || !scope.trash().isInside(hour)) {
      throw new FsException(Errno.ENOENT, "not in the trash", "inode", inode.ino);
    }
    boolean elsewhere = op.getDir() != 0;
    InodeState dir = tree.inode(elsewhere ? op.getDir() : origin.dir());
    if (dir == null || !dir.isDirectory() || scope.trash().isInside(dir)) {
      throw new FsException(Errno.ENOENT, "its directory is gone", "inode", inode.ino);
    }
    byte[] name = elsewhere ? EntryName.checked(op.getName(), Errno.EEXIST) : origin.name();
    if (inode.isDirectory() && inode.children > 0 && (dir.quota != 0 || dir.link != 0)) {
      throw new FsException(Errno.ENOTEMPTY, "entries were made in it", "inode", inode.ino);
    }
    if (tree.lookup(dir.ino, name) != null) {
      throw new FsException(Errno.EEXIST, "name is taken", "dir", dir.ino);
    }
    tree.removeName(hour, inode);
    scope.trash().forget(inode);
    scope.quota().named(inode, dir);
    inode.link = dir.link;
    inode.ctime = scope.now();
    tree.addName(dir, name, inode);
    ObjectFollow.created(scope, inode);
    tree.save(inode);
    scope.touch(hour);
    scope.touch(dir);
    tree.directoryMoved();
    return Scope.result(inode);
  }
}
