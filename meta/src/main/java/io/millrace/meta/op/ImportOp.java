package io.millrace.meta.op;

import com.google.protobuf.ByteString;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.meta.row.InodeState;
import io.millrace.meta.row.Mode;
import io.millrace.meta.tree.ObjectNames;
import io.millrace.meta.tree.TreeWriter;
import io.millrace.proto.CommandResult;
import io.millrace.proto.ImportBatch;
import io.millrace.proto.ImportConflict;
import io.millrace.proto.ImportDirectory;
import io.millrace.proto.ImportResult;
import io.millrace.proto.LinkRecord;

/**
 * Entries of a listing become entries of the tree, thousands per command. Applying a listing again
 * writes nothing (S2). What can't be imported is reported, never dropped.
 */
public final class ImportOp {
  private final Scope scope;
  private final ImportBatch batch;
  private final LinkRecord link;
  private final ImportResult.Builder result = ImportResult.newBuilder();
  private final boolean tombstones;

  private ImportOp(Scope scope, ImportBatch batch) {
    this.scope = scope;
    this.batch = batch;
    link = scope.tree().links().get(batch.getLink());
    if (link == null) {
      throw new FsException(Errno.ENOENT, "no such link", "link", batch.getLink());
    }
    tombstones = scope.queue().counts(link.getId()).tombstones() > 0;
  }

  public static CommandResult.Builder apply(Scope scope, ImportBatch batch) {
    return new ImportOp(scope, batch).run();
  }

  private CommandResult.Builder run() {
    for (int i = 0; i < batch.getDirectoriesCount(); i++) {
      ImportDirectory given = batch.getDirectories(i);
      InodeState dir = given.getIno() != 0 ? known(given.getIno()) : child(i, given);
      result.addDirectories(dir == null ? 0 : dir.ino);
      if (result.getCreatedCount() <= i) {
        result.addCreated(false);
      }
      if (dir != null && given.getEntriesCount() > 0) {
        new ImportEntries(this, i, dir, given).run();
      }
    }
    return Scope.done().setImport(result);
  }

  private InodeState known(long ino) {
    InodeState dir = scope.tree().directory(ino);
    if (dir.link != link.getId()) {
      throw new FsException(Errno.ESTALE, "directory left the link", "inode", ino);
    }
    return dir;
  }

  /** Null where it can't be; its conflict is reported. */
  private InodeState child(int index, ImportDirectory given) {
    if (given.getParent() >= index) {
      throw new FsException(Errno.EINVAL, "directory before its parent", "index", index);
    }
    long parentIno = result.getDirectories(given.getParent());
    if (parentIno == 0) {
      return null;
    }
    if (EntryName.fault(given.getName(), Errno.EINVAL) != null) {
      conflict(index, given.getName(), "NAME");
      return null;
    }
    InodeState parent = scope.tree().directory(parentIno);
    byte[] name = given.getName().toByteArray();
    InodeState there = scope.tree().lookup(parentIno, name);
    if (there != null && there.isDirectory()) {
      return there;
    }
    if (isBuried(parent, name, true)) {
      conflict(index, given.getName(), "TOMBSTONE");
      return null;
    }
    if (there != null) {
      conflict(index, given.getName(), "TYPE");
      if (!makeWay(parent, there)) {
        return null;
      }
    }
    if (!scope.quota().fits(parent.quota, 0, 1)) {
      conflict(index, given.getName(), "QUOTA");
      return null;
    }
    result.addCreated(true);
    return made(parent, name, given);
  }

  /** A file of the bucket shows under another name where a directory wants its own (S11). */
  private boolean makeWay(InodeState parent, InodeState file) {
    byte[] shown = ObjectNames.shadowed(file.name);
    boolean moves =
        file.object != null
            && file.origin.length == 0
            && file.nlink == 1
            && shown.length <= EntryName.MAX_BYTES
            && scope.tree().lookup(parent.ino, shown) == null;
    if (moves) {
      scope.tree().removeName(parent, file);
      scope.tree().addName(parent, shown, file);
    }
    return moves;
  }

  private InodeState made(InodeState parent, byte[] name, ImportDirectory given) {
    TreeWriter tree = scope.tree();
    int permissions = given.hasMode() ? given.getMode() : link.getDirMode();
    InodeState dir =
        tree.newInode(
            Mode.DIRECTORY | (permissions & Mode.PERMISSIONS),
            given.hasUid() ? given.getUid() : link.getUid(),
            given.hasGid() ? given.getGid() : link.getGid(),
            scope.now());
    dir.link = link.getId();
    scope.quota().made(dir, parent);
    tree.addName(parent, name, dir);
    scope.touch(parent);
    return dir;
  }

  /** Whether the key was deleted or moved away here (S8, H3). */
  boolean isBuried(InodeState dir, byte[] name, boolean directory) {
    if (!tombstones) {
      return false;
    }
    var probe = new InodeState();
    probe.mode = directory ? Mode.DIRECTORY : Mode.REGULAR;
    probe.parent = dir.ino;
    probe.name = name;
    probe.link = link.getId();
    byte[] key = scope.tree().targetKey(probe);
    if (batch.getRestoreDeleted()) {
      if (scope.queue().waitingDelete(link.getId(), key) != null || isSettled(key)) {
        scope.queue().unbury(link.getId(), key);
      }
    }
    return scope.tree().tombstone(link.getId(), key);
  }

  private boolean isSettled(byte[] key) {
    long seq = scope.queue().buriedBy(link.getId(), key);
    return seq >= 0 && scope.queue().get(link.getId(), seq) == null;
  }

  /** Whether a directory may still have its objects under an old prefix. */
  boolean movesWait() {
    return tombstones;
  }

  void conflict(int directory, ByteString name, String code) {
    result.addConflicts(
        ImportConflict.newBuilder().setDirectory(directory).setName(name).setCode(code));
  }

  Scope scope() {
    return scope;
  }

  LinkRecord link() {
    return link;
  }

  ImportResult.Builder result() {
    return result;
  }
}
