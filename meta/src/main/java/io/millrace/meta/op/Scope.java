package io.millrace.meta.op;

import com.google.protobuf.ByteString;
import io.millrace.meta.row.InodeState;
import io.millrace.meta.tree.ChangeQueue;
import io.millrace.meta.tree.ExtentWriter;
import io.millrace.meta.tree.GarbageBin;
import io.millrace.meta.tree.QuotaLedger;
import io.millrace.meta.tree.Removal;
import io.millrace.meta.tree.TrashBin;
import io.millrace.meta.tree.TreeWriter;
import io.millrace.proto.Command;
import io.millrace.proto.CommandResult;

/** What an operation works with while its command is applied. Journal's thread only. */
public record Scope(
    TreeWriter tree,
    ChangeQueue queue,
    ExtentWriter extents,
    GarbageBin bin,
    Removal removal,
    QuotaLedger quota,
    TrashBin trash,
    Command command) {

  public static Scope of(TreeWriter tree, Command command) {
    var bin = new GarbageBin(tree);
    var queue = new ChangeQueue(tree);
    var extents = new ExtentWriter(tree, bin);
    var quota = new QuotaLedger(tree);
    var trash = new TrashBin(tree, quota);
    var removal = new Removal(tree, queue, extents, quota, trash);
    return new Scope(tree, queue, extents, bin, removal, quota, trash, command);
  }

  long now() {
    return command.getNowNs();
  }

  long session() {
    return command.getSession();
  }

  /** Saves the directory as changed now. */
  void touch(InodeState dir) {
    tree.touch(dir, now());
  }

  /** A linked directory without entries needs an object of its own to last (S10). */
  void noteEmptied(InodeState dir) {
    boolean isRoot = dir.link != 0 && tree.links().get(dir.link).getRoot() == dir.ino;
    if (dir.link != 0 && dir.children == 0 && !isRoot && dir.changeSeq == 0 && dir.object == null) {
      queue.content(dir, now());
    }
  }

  static byte[] bytes(ByteString name) {
    return name.toByteArray();
  }

  static CommandResult.Builder result(InodeState inode) {
    return CommandResult.newBuilder().setInode(inode.toProto());
  }

  /** Of a file that was made or changed its size: with the room that its quotas leave. */
  CommandResult.Builder sized(InodeState file) {
    CommandResult.Builder result = result(file);
    long room = quota.room(file.quota);
    if (room >= 0) {
      result.getInodeBuilder().setQuotaRoom(room);
    }
    return result;
  }

  static CommandResult.Builder done() {
    return CommandResult.newBuilder();
  }
}
