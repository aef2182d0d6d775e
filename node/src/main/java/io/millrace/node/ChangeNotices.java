package io.millrace.node;

import com.google.protobuf.ByteString;
import io.millrace.core.api.FsException;
import io.millrace.core.api.Namespace;
import io.millrace.proto.Command;
import io.millrace.proto.CommandResult;
import io.millrace.proto.Inode;
import io.millrace.proto.NoticeItem;
import io.millrace.proto.NoticeKind;
import io.millrace.proto.Rename;
import java.util.ArrayList;
import java.util.List;

/** What a committed command makes untrue in other clients' caches. Reads the namespace. */
final class ChangeNotices {
  private final Namespace namespace;

  ChangeNotices(Namespace namespace) {
    this.namespace = namespace;
  }

  List<NoticeItem> of(Command command, CommandResult result) {
    var items = new ArrayList<NoticeItem>();
    Inode inode = result.getInode();
    switch (command.getOpCase()) {
      case CREATE -> {
        if (!result.getExisted() && !command.getCreate().getUnnamed()) {
          named(items, command.getCreate().getDir(), command.getCreate().getName());
        }
      }
      case MKDIR -> named(items, command.getMkdir().getDir(), command.getMkdir().getName());
      case LINK -> {
        named(items, command.getLink().getNewDir(), command.getLink().getNewName());
        items.add(attributes(inode));
      }
      case UNLINK ->
          removed(items, command.getUnlink().getDir(), command.getUnlink().getName(), result);
      case RMDIR ->
          removed(items, command.getRmdir().getDir(), command.getRmdir().getName(), result);
      case RENAME -> renamed(items, command.getRename(), result);
      case SET_ATTR -> {
        items.add(attributes(inode));
        if (command.getSetAttr().hasSize()) {
          items.add(content(inode));
        }
      }
      case SET_XATTR, REMOVE_XATTR -> items.add(attributes(inode));
      case COMMIT_CONTENT, FALLOCATE -> {
        items.add(attributes(inode));
        items.add(content(inode));
      }
      case OPEN_SESSION,
          CLOSE_SESSION,
          REAP_ORPHAN,
          PUT_LINK,
          REMOVE_LINK,
          PUT_TASK,
          IMPORT_BATCH,
          MARK_EXPORTED,
          RESOLVE_CHANGE,
          FORGET_GARBAGE,
          PUT_QUOTA,
          REMOVE_QUOTA,
          COUNT_QUOTA,
          PUT_TRASH,
          RESTORE_TRASH,
          PURGE_TRASH,
          OP_NOT_SET -> {}
    }
    return items;
  }

  /**
   * The file that lost its last name by this command, and was kept as somebody may have it open.
   */
  static long orphan(Command command, CommandResult result) {
    boolean open = command.getUnlink().getOpen() || command.getRename().getOpen();
    return open && lostLastName(result) ? result.getReplaced().getIno() : 0;
  }

  /** Whether the command moved something to the trash: it has a name where nobody named it. */
  static boolean trashed(Command command, CommandResult result) {
    long dir =
        switch (command.getOpCase()) {
          case UNLINK -> command.getUnlink().getDir();
          case RMDIR -> command.getRmdir().getDir();
          case RENAME -> command.getRename().getFlags() == 0 ? command.getRename().getNewDir() : 0;
          default -> 0;
        };
    long now = result.getReplaced().getParent();
    return dir != 0 && now != 0 && now != dir;
  }

  /** What is new in the trash, an hour's directory perhaps too. */
  List<NoticeItem> inTrash(Inode kept) {
    var items = new ArrayList<NoticeItem>();
    named(items, kept.getParent(), kept.getName());
    Inode hour = namespace.inode(kept.getParent());
    named(items, hour.getParent(), hour.getName());
    return items;
  }

  private static boolean lostLastName(CommandResult result) {
    return result.hasReplaced() && result.getReplaced().getNlink() == 0;
  }

  private void named(List<NoticeItem> items, long dir, ByteString name) {
    items.add(entry(NoticeKind.ENTRY_CHANGED, dir, name, 0));
    items.add(directory(dir));
  }

  private void removed(List<NoticeItem> items, long dir, ByteString name, CommandResult result) {
    replaced(items, dir, name, result);
    items.add(directory(dir));
  }

  private void replaced(List<NoticeItem> items, long dir, ByteString name, CommandResult result) {
    long ino = result.getReplaced().getIno();
    boolean gone = !result.hasReplaced() || lostLastName(result);
    items.add(entry(gone ? NoticeKind.ENTRY_DELETED : NoticeKind.ENTRY_CHANGED, dir, name, ino));
    if (!gone) {
      items.add(attributes(result.getReplaced()));
    }
  }

  private void renamed(List<NoticeItem> items, Rename rename, CommandResult result) {
    items.add(
        entry(
            NoticeKind.ENTRY_CHANGED,
            rename.getOldDir(),
            rename.getOldName(),
            result.getInode().getIno()));
    if (result.hasReplaced()) {
      replaced(items, rename.getNewDir(), rename.getNewName(), result);
    } else {
      items.add(entry(NoticeKind.ENTRY_CHANGED, rename.getNewDir(), rename.getNewName(), 0));
    }
    items.add(attributes(result.getInode()));
    items.add(directory(rename.getOldDir()));
    if (rename.getNewDir() != rename.getOldDir()) {
      items.add(directory(rename.getNewDir()));
    }
  }

  private static NoticeItem entry(NoticeKind kind, long dir, ByteString name, long ino) {
    return NoticeItem.newBuilder().setKind(kind).setDir(dir).setName(name).setIno(ino).build();
  }

  private static NoticeItem attributes(Inode inode) {
    return NoticeItem.newBuilder()
        .setKind(NoticeKind.ATTR_CHANGED)
        .setIno(inode.getIno())
        .setDir(inode.getParent())
        .build();
  }

  private static NoticeItem content(Inode inode) {
    return NoticeItem.newBuilder()
        .setKind(NoticeKind.CONTENT_CHANGED)
        .setIno(inode.getIno())
        .build();
  }

  /** A directory's own attributes are cached by who holds it or the directory above. */
  private NoticeItem directory(long dir) {
    long parent;
    try {
      parent = namespace.inode(dir).getParent();
    } catch (FsException e) {
      parent = 0; // gone by now: its own notice is on the way
    }
    return NoticeItem.newBuilder()
        .setKind(NoticeKind.ATTR_CHANGED)
        .setIno(dir)
        .setDir(parent)
        .build();
  }
}
