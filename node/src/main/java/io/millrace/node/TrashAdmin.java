package io.millrace.node;

import com.google.protobuf.ByteString;
import io.millrace.core.api.CoherenceNotifier;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.core.api.Namespace;
import io.millrace.core.path.TreePath;
import io.millrace.proto.AdminReply;
import io.millrace.proto.Command;
import io.millrace.proto.CommandResult;
import io.millrace.proto.Inode;
import io.millrace.proto.NoticeItem;
import io.millrace.proto.NoticeKind;
import io.millrace.proto.PutTrash;
import io.millrace.proto.RestoreTrash;
import io.millrace.proto.TaskFailure;
import io.millrace.proto.TrashEmpty;
import io.millrace.proto.TrashQuery;
import io.millrace.proto.TrashRecord;
import io.millrace.proto.TrashRestore;
import io.millrace.proto.TrashSet;
import io.millrace.proto.TrashStatus;
import io.millrace.proto.TrashedEntry;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;

/** What the command line asks about the trash. Any thread that may wait for the journal. */
public final class TrashAdmin {
  private static final int REPLY_BYTES_MAX = 512 << 10;
  private static final int RESTORED_MAX = 100_000;
  private static final int FAILURES_MAX = 1000;
  private static final int DEPTH_MAX = 4096;
  private static final long ROOT = io.millrace.core.api.Ino.ROOT;

  private final Namespace namespace;
  private final Stamps stamps;
  private final CoherenceNotifier notices;
  private final TrashKeeper keeper;

  TrashAdmin(Namespace namespace, Stamps stamps, CoherenceNotifier notices, TrashKeeper keeper) {
    this.namespace = namespace;
    this.stamps = stamps;
    this.notices = notices;
    this.keeper = keeper;
  }

  /** From now on deletions below the directory are kept, or no longer. */
  public AdminReply set(TrashSet asked) {
    Inode root = TreePath.existing(namespace, asked.getPath());
    if (asked.getOff() && record(root).filter(trash -> !trash.getOff()).isEmpty()) {
      throw new FsException(
          Errno.ENOENT, "this directory has no trash", "path", asked.getPath().toStringUtf8());
    }
    var trash =
        TrashRecord.newBuilder()
            .setRoot(root.getIno())
            .setKeepSeconds(asked.getKeepSeconds())
            .setOff(asked.getOff());
    apply(Command.newBuilder().setPutTrash(PutTrash.newBuilder().setTrash(trash)));
    notices.changed(List.of(changed(ROOT, ByteString.copyFromUtf8(".trash")), changed(ROOT)));
    TrashStatus.Builder status = TrashStatus.newBuilder();
    record(root)
        .ifPresent(
            made -> {
              status
                  .setTrash(made)
                  .setPath(asked.getPath())
                  .setBinPath(TreePath.ofLiving(namespace, made.getBin()));
              Inode bin = namespace.inode(made.getBin());
              notices.changed(
                  List.of(changed(bin.getParent(), bin.getName()), changed(bin.getParent())));
            });
    return AdminReply.newBuilder().addTrash(status).build();
  }

  /** The directories that have trash, and what is in it, as much as fits a reply. */
  public AdminReply query(TrashQuery asked) {
    AdminReply.Builder reply = AdminReply.newBuilder();
    for (TrashRecord trash : namespace.trashes()) {
      reply.addTrash(
          TrashStatus.newBuilder()
              .setTrash(trash)
              .setPath(TreePath.ofLiving(namespace, trash.getRoot()))
              .setBinPath(TreePath.ofLiving(namespace, trash.getBin())));
    }
    int[] size = {0};
    new TrashSearch(namespace)
        .below(
            asked.getPath(),
            entry -> {
              TrashedEntry shown = entry;
              size[0] += shown.getSerializedSize();
              if (size[0] > REPLY_BYTES_MAX) {
                reply.setNote("there is more; name a path below which to look");
                return false;
              }
              reply.addTrashed(shown);
              return true;
            });
    return reply.build();
  }

  /** Brings back what was deleted last under each name, directories before what was in them. */
  public AdminReply restore(TrashRestore asked) {
    long to = asked.getTo().isEmpty() ? 0 : TreePath.existing(namespace, asked.getTo()).getIno();
    AdminReply.Builder reply = AdminReply.newBuilder();
    for (TrashedEntry entry : wanted(asked.getPath())) {
      boolean top = to != 0 && !isBelow(entry.getPath(), asked.getPath());
      try {
        restore(entry.getInode().getIno(), top ? to : 0, entry.getName(), 0);
        reply.setDone(reply.getDone() + 1);
      } catch (FsException e) {
        if (reply.getFailuresCount() < FAILURES_MAX) {
          reply.addFailures(
              TaskFailure.newBuilder()
                  .setPath(entry.getPath().toStringUtf8())
                  .setCode(e.errno().name())
                  .setDetail(e.getMessage()));
        }
      }
    }
    return reply.build();
  }

  private static boolean isBelow(ByteString path, ByteString dir) {
    return path.size() > dir.size() && path.startsWith(dir);
  }

  private List<TrashedEntry> wanted(ByteString path) {
    Optional<TrashedEntry> one =
        namespace
            .resolve(path)
            .flatMap(
                inode ->
                    namespace
                        .trashed(inode.getIno())
                        .map(row -> row.toBuilder().setInode(inode).setPath(path).build()));
    if (one.isPresent()) {
      return List.of(one.get());
    }
    var newest =
        new TreeMap<ByteString, TrashedEntry>(ByteString.unsignedLexicographicalComparator());
    new TrashSearch(namespace)
        .below(
            path,
            entry -> {
              newest.merge(
                  entry.getPath(), entry, (a, b) -> a.getDeletedNs() > b.getDeletedNs() ? a : b);
              if (newest.size() > RESTORED_MAX) {
                throw new FsException(
                    Errno.E2BIG, "too much at once; name directories below", "limit", RESTORED_MAX);
              }
              return true;
            });
    if (newest.isEmpty()) {
      throw new FsException(
          Errno.ENOENT, "the trash has nothing of this", "path", path.toStringUtf8());
    }
    var entries = new ArrayList<>(newest.values());
    entries.sort(Comparator.comparingInt(entry -> entry.getPath().size()));
    return entries;
  }

  /** Its directory first, where that was deleted too. */
  private void restore(long ino, long to, ByteString name, int depth) {
    Optional<TrashedEntry> row = namespace.trashed(ino);
    if (row.isEmpty() || depth > DEPTH_MAX) {
      return; // came back with what was in it
    }
    if (to == 0 && namespace.trashed(row.get().getDir()).isPresent()) {
      restore(row.get().getDir(), 0, ByteString.EMPTY, depth + 1);
    }
    Inode before = namespace.inode(ino);
    var op = RestoreTrash.newBuilder().setIno(ino).setDir(to).setName(name);
    Inode back = apply(Command.newBuilder().setRestoreTrash(op)).getInode();
    notices.changed(
        List.of(
            changed(before.getParent(), before.getName()),
            changed(before.getParent()),
            changed(back.getParent(), back.getName()),
            changed(back.getParent())));
  }

  public AdminReply empty(TrashEmpty asked) {
    long removed = 0;
    if (asked.getPath().isEmpty()) {
      for (TrashRecord trash : namespace.trashes()) {
        removed += keeper.empty(trash);
      }
    } else {
      TrashRecord trash =
          record(TreePath.existing(namespace, asked.getPath()))
              .orElseThrow(
                  () ->
                      new FsException(
                          Errno.ENOENT,
                          "this directory has no trash of its own",
                          "path",
                          asked.getPath().toStringUtf8()));
      removed = keeper.empty(trash);
    }
    return AdminReply.newBuilder().setDone(removed).build();
  }

  private Optional<TrashRecord> record(Inode root) {
    return namespace.trashes().stream().filter(t -> t.getRoot() == root.getIno()).findFirst();
  }

  private CommandResult apply(Command.Builder command) {
    return Answers.checked(namespace.apply(stamps.own(command), true));
  }

  private static NoticeItem changed(long dir, ByteString name) {
    return NoticeItem.newBuilder()
        .setKind(NoticeKind.ENTRY_CHANGED)
        .setDir(dir)
        .setName(name)
        .build();
  }

  private NoticeItem changed(long dir) {
    return NoticeItem.newBuilder()
        .setKind(NoticeKind.ATTR_CHANGED)
        .setIno(dir)
        .setDir(namespace.inode(dir).getParent())
        .build();
  }
}
