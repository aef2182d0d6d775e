package io.millrace.meta.op;

import com.google.protobuf.ByteString;
import io.millrace.meta.row.InodeState;
import io.millrace.meta.row.Keys;
import io.millrace.meta.store.Rows;
import io.millrace.meta.tree.TrashBin;
import io.millrace.meta.tree.TreeWriter;
import io.millrace.proto.CommandResult;
import io.millrace.proto.PurgeTrash;
import io.millrace.proto.TrashRecord;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Removes what the trash has kept long enough, the oldest hour first. A directory that got entries
 * while it was in the trash stays, and its hour with it: somebody works there.
 */
public final class PurgeTrashOp {
  private final Scope scope;
  private final TreeWriter tree;
  private final CommandResult.Builder result = Scope.done();
  private boolean removed;

  private PurgeTrashOp(Scope scope) {
    this.scope = scope;
    this.tree = scope.tree();
  }

  public static CommandResult.Builder apply(Scope scope, PurgeTrash op) {
    TrashRecord trash = scope.tree().trashes().get(op.getRoot());
    return trash == null ? Scope.done() : new PurgeTrashOp(scope).run(trash, op);
  }

  private CommandResult.Builder run(TrashRecord trash, PurgeTrash op) {
    int left = Math.max(1, op.getEntriesMax());
    InodeState bin = tree.directory(trash.getBin());
    byte[] before = TrashBin.hourName(op.getBeforeNs());
    for (byte[] name : names(bin, left)) {
      if (left > 0 && Arrays.compareUnsigned(name, before) < 0) {
        left -= purge(bin, tree.lookup(bin.ino, name), left);
      }
    }
    result.setExisted(left <= 0 && removed);
    if (bin.children == 0 && trash.getOff()) {
      InodeState home = tree.directory(bin.parent);
      scope.removal().purge(home, bin, scope.now());
      scope.touch(home);
      scope.trash().remove(trash);
    }
    return result;
  }

  /** How much work it was. */
  private int purge(InodeState bin, InodeState hour, int entriesMax) {
    if (!hour.isDirectory()) {
      return 1;
    }
    List<byte[]> names = names(hour, entriesMax);
    for (byte[] name : names) {
      InodeState inode = tree.lookup(hour.ino, name);
      if (!inode.isDirectory() || inode.children == 0) {
        purge(hour, inode);
      }
    }
    if (hour.children == 0) {
      purge(bin, hour);
      scope.touch(bin);
    } else {
      scope.touch(hour);
    }
    return names.size() + 1;
  }

  private void purge(InodeState dir, InodeState inode) {
    byte[] name = inode.name;
    scope.removal().purge(dir, inode, scope.now());
    removed = true;
    result.addPurged(
        inode.toProto().toBuilder().setParent(dir.ino).setName(ByteString.copyFrom(name)));
  }

  private List<byte[]> names(InodeState dir, int max) {
    byte[] prefix = Keys.entries(dir.ino);
    var names = new ArrayList<byte[]>();
    try (Rows.Cursor row = tree.batch().scan(prefix, Keys.after(prefix))) {
      while (names.size() < max && row.next()) {
        names.add(Keys.nameOf(row.key()));
      }
    }
    return names;
  }
}
