package io.millrace.client.mount;

import com.google.protobuf.ByteString;
import io.millrace.client.DirtyFile;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.fuse.DetachedReply;
import io.millrace.fuse.FuseRequest;
import io.millrace.fuse.SetattrIn;
import io.millrace.proto.Command;
import io.millrace.proto.CommandResult;
import io.millrace.proto.Create;
import io.millrace.proto.Inode;
import io.millrace.proto.Link;
import io.millrace.proto.Mkdir;
import io.millrace.proto.RemoveXattr;
import io.millrace.proto.Rename;
import io.millrace.proto.Rmdir;
import io.millrace.proto.SetAttr;
import io.millrace.proto.SetXattr;
import io.millrace.proto.Unlink;
import java.util.function.Consumer;

/**
 * Changes of the namespace: each is one command to the node and, when it was applied, marks what it
 * touched, so that no page of an older listing is believed. Not interrupted half-way. Any thread.
 */
final class Mutations {
  private static final int RENAME_FLAGS_KNOWN = 3;
  private static final int SYMLINK_MODE = 0120777;
  private static final long NANOS = 1_000_000_000L;
  private static final long SECONDS_MAX = Long.MAX_VALUE / NANOS - 1;

  private final MountContext context;
  private final EntryAnswers answers;
  private final KnownNames names;

  Mutations(MountContext context, EntryAnswers answers, KnownNames names) {
    this.context = context;
    this.answers = answers;
    this.names = names;
  }

  void mkdir(FuseRequest request, long dir, int mode, int umask) {
    byte[] name = request.name();
    var op =
        Mkdir.newBuilder()
            .setDir(dir)
            .setName(MountContext.bytes(name))
            .setMode(mode)
            .setUmask(umask);
    make(request, dir, name, MountContext.command(request).setMkdir(op));
  }

  void mknod(FuseRequest request, long dir, int mode, int umask, int rdev) {
    byte[] name = request.name();
    var op = create(dir, name, mode).setUmask(umask).setRdev(rdev).setExclusive(true);
    make(request, dir, name, MountContext.command(request).setCreate(op));
  }

  void symlink(FuseRequest request, long dir) {
    byte[] name = request.name();
    var op =
        create(dir, name, SYMLINK_MODE)
            .setTarget(MountContext.bytes(request.secondName()))
            .setExclusive(true);
    make(request, dir, name, MountContext.command(request).setCreate(op));
  }

  void link(FuseRequest request, long ino, long dir) {
    byte[] name = request.name();
    var op = Link.newBuilder().setIno(ino).setNewDir(dir).setNewName(MountContext.bytes(name));
    make(request, dir, name, MountContext.command(request).setLink(op));
  }

  static Create.Builder create(long dir, byte[] name, int mode) {
    return Create.newBuilder().setDir(dir).setName(MountContext.bytes(name)).setMode(mode);
  }

  private void make(FuseRequest request, long dir, byte[] name, Command.Builder command) {
    long since = context.notices().now();
    send(
        request.detach(),
        command,
        (result, kernel) -> {
          Inode inode = result.getInode();
          long askedAt = changedMeanwhile(inode, since);
          made(dir, name, inode);
          if (!command.hasLink()) {
            context.recent().putNew(inode, since);
          }
          boolean leased =
              (command.hasLink() || (command.hasCreate() && EntryAnswers.isRegular(inode)))
                  && context.notices().isFresh(inode.getIno(), since);
          answers.entry(kernel, dir, inode, since, askedAt, leased);
        });
  }

  /**
   * When to say that the result's attributes were asked for: our own mark, set next, must not
   * count, one that a commit has set since must.
   */
  private long changedMeanwhile(Inode inode, long since) {
    return context.own().isFresh(inode.getIno(), since) ? Long.MAX_VALUE : since;
  }

  /** Before the kernel is told. */
  void made(long dir, byte[] name, Inode inode) {
    names.added(dir, name);
    int links = EntryAnswers.isDirectory(inode) ? 1 : 0;
    context.recent().directoryChanged(dir, inode.getCtimeNs(), links);
    context.own().changed(inode.getIno());
  }

  private interface Done {
    void accept(CommandResult result, DetachedReply kernel);
  }

  private void send(DetachedReply kernel, Command.Builder command, Done done) {
    CommandAnswer.send(context.session(), kernel, command, r -> done.accept(r, kernel));
  }

  void unlink(FuseRequest request, long dir) {
    var op =
        Unlink.newBuilder()
            .setDir(dir)
            .setName(MountContext.bytes(request.name()))
            .setOpen(context.open().anyOpen());
    send(
        request.detach(),
        MountContext.command(request).setUnlink(op),
        (result, kernel) -> {
          context.recent().directoryChanged(dir, result.getReplaced().getCtimeNs(), 0);
          replaced(result, op.getOpen());
          kernel.ok();
        });
  }

  /** What lost a name: where it was its last, it lives as long as somebody has it open (H10). */
  private void replaced(CommandResult result, boolean saidOpen) {
    if (!result.hasReplaced()) {
      return;
    }
    Inode gone = result.getReplaced();
    context.own().changed(gone.getIno());
    context.staged().drop(gone.getIno());
    if (gone.getNlink() > 0 && !EntryAnswers.isDirectory(gone)) {
      return;
    }
    if (saidOpen && context.open().orphan(gone.getIno())) {
      return;
    }
    context.gone().add(gone);
    if (saidOpen && !EntryAnswers.isDirectory(gone)) {
      context.orphans().add(gone.getIno());
    }
  }

  void rmdir(FuseRequest request, long dir) {
    var op = Rmdir.newBuilder().setDir(dir).setName(MountContext.bytes(request.name()));
    send(
        request.detach(),
        MountContext.command(request).setRmdir(op),
        (result, kernel) -> {
          context.own().changed(dir);
          names.drop(result.getReplaced().getIno());
          replaced(result, false);
          kernel.ok();
        });
  }

  void rename(FuseRequest request, long dir, long newDir, int flags) {
    if ((flags & ~RENAME_FLAGS_KNOWN) != 0) {
      request.error(Errno.EINVAL.code());
      return;
    }
    byte[] newName = request.secondName();
    byte[] oldName = request.name();
    var op =
        Rename.newBuilder()
            .setOldDir(dir)
            .setOldName(MountContext.bytes(oldName))
            .setNewDir(newDir)
            .setNewName(MountContext.bytes(newName))
            .setFlags(flags)
            .setOpen(context.open().anyOpen());
    send(
        request.detach(),
        MountContext.command(request).setRename(op),
        (result, kernel) -> {
          names.added(dir, oldName);
          names.added(newDir, newName);
          context.own().changed(dir);
          context.own().changed(newDir);
          context.own().changed(result.getInode().getIno());
          if (flags == 0) {
            replaced(result, op.getOpen());
          } else {
            context.own().changed(result.getReplaced().getIno()); // exchanged, or none
          }
          kernel.ok();
        });
  }

  void setattr(FuseRequest request, long ino, SetattrIn in) {
    SetAttr.Builder op = changes(ino, in);
    Inode gone = context.gone().change(op.build());
    if (gone != null) {
      answers.gone(request.detach(), gone);
      return;
    }
    Command.Builder command = MountContext.command(request);
    DirtyFile dirty = context.writeBack().find(ino);
    DetachedReply kernel = request.detach();
    if (dirty == null) {
      apply(kernel, command, op);
    } else if (op.hasSize()) {
      dirty.cutAt(op.getSize());
      afterCommit(kernel, dirty, command, op);
    } else if ((op.hasMode() || op.hasUid() || op.hasGid()) && dirty.killsSuid()) {
      afterCommit(kernel, dirty, command, op);
    } else {
      keepTime(dirty, op);
      apply(kernel, command, op);
    }
  }

  /** The commit that is still to come must not put the time of the last write in its place. */
  private static void keepTime(DirtyFile dirty, SetAttr.Builder op) {
    if (op.getMtimeNow()) {
      dirty.setMtimeNow();
    } else if (op.hasMtimeNs()) {
      dirty.setMtime(op.getMtimeNs());
    }
  }

  private void afterCommit(
      DetachedReply kernel, DirtyFile dirty, Command.Builder command, SetAttr.Builder op) {
    dirty.commit(
        false,
        (inode, failure) -> {
          if (failure != null) {
            kernel.fail(failure);
          } else {
            apply(kernel, command, op);
          }
        });
  }

  private void apply(DetachedReply kernel, Command.Builder command, SetAttr.Builder op) {
    long since = context.notices().now();
    send(
        kernel,
        command.setSetAttr(op),
        (result, to) -> {
          Inode inode = result.getInode();
          long askedAt = changedMeanwhile(inode, since);
          attributesSet(inode, op.hasSize());
          answers.changedAttr(to, inode, since, askedAt);
        });
  }

  private void attributesSet(Inode inode, boolean content) {
    context.own().changed(inode.getIno());
    context.own().changed(inode.getParent());
    if (content) {
      context.nodes().ownChange(inode.getIno(), inode.getContentSeq());
      context.staged().drop(inode.getIno());
      DirtyFile dirty = context.writeBack().find(inode.getIno());
      if (dirty != null) {
        dirty.baseIs(inode.getSize());
        dirty.growth().learn(inode);
      }
    }
  }

  /** Times outside what 64 bits hold become the nearest that they do. */
  private static long nanos(long seconds, int nanos) {
    return Math.clamp(seconds, -SECONDS_MAX, SECONDS_MAX) * NANOS + nanos;
  }

  private static SetAttr.Builder changes(long ino, SetattrIn in) {
    SetAttr.Builder op = SetAttr.newBuilder().setIno(ino);
    if (in.hasMode()) {
      op.setMode(in.mode() & 07777);
    }
    if (in.hasUid()) {
      op.setUid(in.uid());
    }
    if (in.hasGid()) {
      op.setGid(in.gid());
    }
    if (in.hasSize()) {
      op.setSize(in.size());
    }
    if (in.hasAtime()) {
      if (in.atimeIsNow()) {
        op.setAtimeNow(true);
      } else {
        op.setAtimeNs(nanos(in.atimeSeconds(), in.atimeNanos()));
      }
    }
    if (in.hasMtime()) {
      if (in.mtimeIsNow()) {
        op.setMtimeNow(true);
      } else {
        op.setMtimeNs(nanos(in.mtimeSeconds(), in.mtimeNanos()));
      }
    }
    return op.setKillSuid(in.killsSetuid()).setOpened(in.hasHandle());
  }

  /**
   * O_TRUNC of an open or a create.
   *
   * @param pending ended afterwards
   * @param done gets the inode as it is then
   */
  void truncate(
      DetachedReply kernel,
      Command.Builder command,
      SetAttr.Builder op,
      PendingOpen pending,
      Consumer<Inode> done) {
    DirtyFile dirty = context.writeBack().find(op.getIno());
    if (dirty == null) {
      cut(kernel, command, op, pending, done);
      return;
    }
    dirty.cutAt(0);
    dirty.commit(
        false,
        (inode, failure) -> {
          if (failure != null) {
            pending.end();
            kernel.fail(failure);
          } else {
            cut(kernel, command, op, pending, done);
          }
        });
  }

  private void cut(
      DetachedReply kernel,
      Command.Builder command,
      SetAttr.Builder op,
      PendingOpen pending,
      Consumer<Inode> done) {
    var answer =
        new CommandAnswer(
            context.session(),
            kernel,
            command.setSetAttr(op.setSize(0).setOpen(true)),
            result -> {
              attributesSet(result.getInode(), true);
              done.accept(result.getInode());
            },
            pending::end);
    answer.send();
  }

  /** A command that changes a file's content without writing through this client. */
  void changeContent(DetachedReply kernel, Command.Builder command, Consumer<Inode> done) {
    send(
        kernel,
        command,
        (result, to) -> {
          attributesSet(result.getInode(), true);
          done.accept(result.getInode());
        });
  }

  void setxattr(FuseRequest request, long ino, int flags) {
    ByteString name = MountContext.bytes(request.name());
    var op =
        SetXattr.newBuilder()
            .setIno(ino)
            .setName(name)
            .setValue(MountContext.bytes(request.xattrValue()))
            .setFlags(flags)
            .setKillSgid(request.setxattrKillsSetgid());
    attribute(request, ino, MountContext.command(request).setSetXattr(op));
  }

  void removexattr(FuseRequest request, long ino) {
    ByteString name = MountContext.bytes(request.name());
    var op = RemoveXattr.newBuilder().setIno(ino).setName(name);
    attribute(request, ino, MountContext.command(request).setRemoveXattr(op));
  }

  private void attribute(FuseRequest request, long ino, Command.Builder command) {
    context.nodes().change(ino, 0, NodeTable.NO_XATTRS);
    send(
        request.detach(),
        command,
        (result, kernel) -> {
          context.own().changed(ino);
          context.nodes().change(ino, 0, NodeTable.NO_XATTRS);
          kernel.ok();
        });
  }

  /** For those who wait for a commit. */
  static void settle(DetachedReply kernel, FsException failure) {
    if (failure == null) {
      kernel.ok();
    } else {
      kernel.fail(failure);
    }
  }
}
