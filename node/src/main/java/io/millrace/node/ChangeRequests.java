package io.millrace.node;

import com.google.protobuf.ByteString;
import io.millrace.core.api.BlockId;
import io.millrace.core.api.BlockStore;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.core.api.Namespace;
import io.millrace.core.wire.RequestHandler.Peer;
import io.millrace.core.wire.RequestHandler.Responder;
import io.millrace.proto.Command;
import io.millrace.proto.CommandResult;
import io.millrace.proto.Extent;
import io.millrace.proto.Inode;
import io.millrace.proto.MutateRequest;
import io.millrace.proto.NoticeItem;
import io.millrace.proto.ReapOrphan;
import io.millrace.proto.WriteReply;
import io.millrace.proto.WriteRequest;
import io.millrace.proto.WrittenBlock;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/**
 * MUTATE and WRITE: stamped, journalled, told to the other holders of leases, then acknowledged
 * (H7). Where no other client is there, the journal's thread answers at once.
 */
final class ChangeRequests {
  private static final System.Logger LOG = System.getLogger(ChangeRequests.class.getName());

  private final Namespace namespace;
  private final BlockStore blocks;
  private final Stamps stamps;
  private final Sessions sessions;
  private final Leases leases;
  private final InodeCache inodes;
  private final NoticeBoard notices;
  private final ChangeNotices changeNotices;
  private final Orphans orphans;
  private final RestartGrace grace;
  private final LockRequests locks;
  private final Callers callers;
  private final NodeThreads threads;
  private final StoredFirst storedFirst;

  ChangeRequests(
      Namespace namespace,
      BlockStore blocks,
      Stamps stamps,
      Sessions sessions,
      Leases leases,
      InodeCache inodes,
      NoticeBoard notices,
      Orphans orphans,
      RestartGrace grace,
      LockRequests locks,
      Callers callers,
      NodeThreads threads) {
    this.namespace = namespace;
    this.blocks = blocks;
    this.stamps = stamps;
    this.sessions = sessions;
    this.leases = leases;
    this.inodes = inodes;
    this.notices = notices;
    this.changeNotices = new ChangeNotices(namespace);
    this.orphans = orphans;
    this.grace = grace;
    this.locks = locks;
    this.callers = callers;
    this.threads = threads;
    this.storedFirst = new StoredFirst(blocks, threads);
  }

  /** How a command gets into the journal: what must be durable before its result comes. */
  private interface Way {
    void submit(Command command, Consumer<CommandResult> result);
  }

  private Way way(boolean sync) {
    return (command, result) -> namespace.submit(command, sync, result);
  }

  /** A mutation on its way; {@code openAtClient} as it was asked, not as the node set it. */
  private record Change(
      ClientSession client, Command command, boolean openAtClient, Responder responder) {
    void answer(CommandResult result) {
      responder.reply(WriteReply.newBuilder().setResult(result).build(), null);
    }
  }

  void mutate(Peer peer, ClientSession session, MutateRequest request, Responder responder) {
    Command command = request.getCommand();
    checkAllowed(session, command);
    checkRoom(command);
    if (peer.mayBlock() || !removes(command) || !sessions.othersThan(session)) {
      submit(session, command, way(request.getSync()), responder);
    } else {
      threads.onDisk(
          () ->
              Answers.guard(
                  responder, () -> submit(session, command, way(request.getSync()), responder)));
    }
  }

  /** On a thread that may block on the disk. */
  void write(
      ClientSession session, WriteRequest request, MemorySegment payload, Responder responder) {
    if (session == null) {
      throw new FsException(Errno.EPERM, "only a session may write");
    }
    if (request.getVersion() >>> 32 != Integer.toUnsignedLong(session.number)
        && request.getBlocksCount() > 0) {
      throw new FsException(
          Errno.EPERM, "a content version of another session", "version", request.getVersion());
    }
    if (request.hasCommit()) {
      checkAllowed(session, request.getCommit());
    }
    session.writes(request.getIno());
    store(request, payload);
    if (!request.getSync()) {
      written(session, request, way(false), responder);
    } else {
      storedFirst.then(
          failure -> {
            if (failure != null) {
              responder.fail(failure);
            } else {
              Answers.guard(
                  responder, () -> written(session, request, namespace::submitStored, responder));
            }
          });
    }
  }

  private void written(ClientSession session, WriteRequest request, Way way, Responder responder) {
    if (request.hasCommit()) {
      submit(session, request.getCommit(), way, responder);
    } else {
      responder.reply(WriteReply.getDefaultInstance(), null);
    }
  }

  /** All that was acknowledged before survives power loss: an empty command, synced. */
  void sync(Responder responder, com.google.protobuf.MessageLite done) {
    storedFirst.then(
        failure -> {
          if (failure != null) {
            responder.fail(failure);
          } else {
            Answers.guard(responder, () -> syncLog(responder, done));
          }
        });
  }

  private void syncLog(Responder responder, com.google.protobuf.MessageLite done) {
    Command.Builder nothing = Command.newBuilder().setReapOrphan(ReapOrphan.getDefaultInstance());
    namespace.submitStored(
        stamps.own(nothing),
        result -> {
          if (result.getErrno() == 0) {
            responder.reply(done, null);
          } else {
            responder.fail(
                new FsException(
                    Errno.of(result.getErrno()), "not synced", "why", result.getMessage()));
          }
        });
  }

  private void store(WriteRequest request, MemorySegment payload) {
    long at = 0;
    for (WrittenBlock block : request.getBlocksList()) {
      if (block.getLength() <= 0
          || block.getLength() > BlockId.MAX_BYTES
          || at + block.getLength() > payload.byteSize()) {
        throw new FsException(Errno.EINVAL, "blocks and payload differ in length");
      }
      var id = new BlockId(request.getIno(), request.getVersion(), block.getIndex());
      blocks.put(id, payload.asSlice(at, block.getLength()), block.getCrc32C());
      at += block.getLength();
    }
    if (at != payload.byteSize()) {
      throw new FsException(Errno.EINVAL, "blocks and payload differ in length");
    }
  }

  private void submit(ClientSession session, Command command, Way way, Responder responder) {
    checkLocks(session, command); // after its blocks were stored, which may have taken a while
    if (command.hasReapOrphan()) {
      orphans.released(
          session,
          command.getReapOrphan().getInoList(),
          free -> journal(session, reap(command, free), false, way, responder));
    } else {
      boolean open = command.getUnlink().getOpen() || command.getRename().getOpen();
      journal(session, withOpen(session, command), open, way, responder);
    }
  }

  private static Command.Builder reap(Command command, List<Long> free) {
    return command.toBuilder().setReapOrphan(ReapOrphan.newBuilder().addAllIno(free));
  }

  private void journal(
      ClientSession session,
      Command.Builder command,
      boolean openAtClient,
      Way way,
      Responder responder) {
    callers.squash(command);
    var change = new Change(session, stamps.of(command), openAtClient, responder);
    way.submit(change.command, result -> Answers.guard(responder, () -> committed(change, result)));
  }

  /** On the journal's thread. */
  private void committed(Change change, CommandResult result) {
    leases.changed();
    inodes.invalidate(result.getInode().getIno());
    inodes.invalidate(result.getReplaced().getIno());
    if (change.command.hasCommitContent()) {
      change.client.wrote(change.command.getCommitContent().getIno());
    }
    if (result.getErrno() != 0) {
      change.answer(result);
      return;
    }
    if (takesLease(change.command, result.getInode())) {
      leases.grantContent(change.client, result.getInode().getIno());
    }
    if (ChangeNotices.trashed(change.command, result)) {
      threads.onNotices(() -> tellTrash(result));
    }
    ofOrphans(change, result);
    grace.hold(
        change.client.id,
        () -> {
          if (sessions.othersThan(change.client)) {
            threads.onNotices(() -> Answers.guard(change.responder, () -> tell(change, result)));
          } else {
            countOrphan(change, result, Map.of());
            change.answer(result);
          }
        });
  }

  /** Nobody waits for it: the trash shows what is new in it a moment later. */
  private void tellTrash(CommandResult result) {
    try {
      notices.announce(null, changeNotices.inTrash(result.getReplaced()), () -> {}, open -> {});
    } catch (FsException e) {
      LOG.log(System.Logger.Level.DEBUG, "the trash was emptied meanwhile", e);
    }
  }

  /** It may have it open then (H10), or shows attributes that change under other names too. */
  private static boolean takesLease(Command command, Inode inode) {
    boolean opens = command.hasCreate() || command.getSetAttr().getOpen();
    return (opens && MetadataRequests.isRegular(inode)) || command.hasLink();
  }

  private void tell(Change change, CommandResult result) {
    List<NoticeItem> items = changeNotices.of(change.command, result);
    notices.announce(
        change.client,
        items,
        () -> change.answer(result),
        open -> countOrphan(change, result, open));
  }

  /** On the journal's thread, so in the order of the commands. */
  private void ofOrphans(Change change, CommandResult result) {
    Command command = change.command;
    if (command.hasLink()) {
      orphans.named(result.getInode().getIno());
    } else if (command.getCreate().getUnnamed()) {
      orphans.made(result.getInode().getIno(), change.client, true, List.of());
      orphans.counted(result.getInode().getIno(), Set.of());
    } else if (ChangeNotices.orphan(command, result) != 0) {
      long ino = ChangeNotices.orphan(command, result);
      orphans.made(ino, change.client, change.openAtClient, sessions.all());
    }
  }

  private void countOrphan(
      Change change, CommandResult result, Map<ClientSession, Set<Long>> open) {
    long ino = ChangeNotices.orphan(change.command, result);
    if (ino != 0) {
      orphans.counted(ino, Announcement.holders(ino, open));
    }
  }

  /**
   * An unlink, or a rename over a file, keeps the file where another client may have it open; who
   * has, its notice will tell (H10).
   */
  private Command.Builder withOpen(ClientSession session, Command command) {
    Command.Builder builder = command.toBuilder();
    if (!removes(command) || !sessions.othersThan(session)) {
      return builder;
    }
    if (command.hasUnlink() && !command.getUnlink().getOpen()) {
      boolean open =
          maybeOpen(session, command.getUnlink().getDir(), command.getUnlink().getName());
      builder.getUnlinkBuilder().setOpen(open);
    } else if (command.hasRename() && !command.getRename().getOpen()) {
      boolean open =
          maybeOpen(session, command.getRename().getNewDir(), command.getRename().getNewName());
      builder.getRenameBuilder().setOpen(open);
    }
    return builder;
  }

  private boolean maybeOpen(ClientSession session, long dir, ByteString name) {
    return namespace
        .lookup(dir, name)
        .map(victim -> leases.content().heldByOther(victim.getIno(), session.slot))
        .map(held -> held || sessions.anyOpensUnknown())
        .orElse(false);
  }

  /** Room is not set aside, but what can't ever fit is refused at once. */
  private void checkRoom(Command command) {
    if (command.hasFallocate() && !command.getFallocate().getZero()) {
      BlockStore.Usage usage = blocks.usage();
      if (command.getFallocate().getLength() > usage.diskCapacity() - usage.dirtyBytes()) {
        throw new FsException(Errno.ENOSPC, "no room for so much");
      }
    }
  }

  private static boolean removes(Command command) {
    return command.hasUnlink() || command.hasRename();
  }

  /** Blocks of a session that has ended may be collected already (H16). */
  private static void checkOwnBlocks(ClientSession session, Command command) {
    for (Extent extent : command.getCommitContent().getExtentsList()) {
      if (extent.getVersion() >>> 32 != Integer.toUnsignedLong(session.number)) {
        throw new FsException(
            Errno.ESTALE,
            "written under a session that has ended",
            "version",
            extent.getVersion(),
            "session",
            session.number);
      }
    }
  }

  /** Content that was written under a lock must not come after what another wrote under his. */
  private void checkLocks(ClientSession session, Command command) {
    if (command.hasCommitContent()) {
      locks.requireNotLapsed(session, command.getCommitContent().getIno());
    } else if (command.hasFallocate()) {
      locks.requireNotLapsed(session, command.getFallocate().getIno());
    } else if (command.hasSetAttr() && command.getSetAttr().hasSize()) {
      locks.requireNotLapsed(session, command.getSetAttr().getIno());
    }
  }

  private void checkAllowed(ClientSession session, Command command) {
    if (session == null || command.getSession() != session.id) {
      throw new FsException(Errno.EPERM, "a command of another session");
    }
    checkOwnBlocks(session, command);
    switch (command.getOpCase()) {
      case CREATE,
          MKDIR,
          RMDIR,
          RENAME,
          LINK,
          SET_ATTR,
          COMMIT_CONTENT,
          FALLOCATE,
          REAP_ORPHAN -> {}
      case UNLINK -> {
        if (command.getUnlink().getForget()) {
          throw new FsException(Errno.EPERM, "only the node keeps a removal from the bucket");
        }
      }
      case SET_XATTR -> MadeUpAttributes.requireOrdinary(command.getSetXattr().getName());
      case REMOVE_XATTR -> MadeUpAttributes.requireOrdinary(command.getRemoveXattr().getName());
      case OPEN_SESSION,
          CLOSE_SESSION,
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
          OP_NOT_SET ->
          throw new FsException(
              Errno.EPERM, "not a client's command", "command", command.getOpCase());
    }
  }
}
