package io.millrace.client.mount;

import io.millrace.client.DirtyFile;
import io.millrace.client.ReadAhead;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.core.wire.NodeChannel.Reply;
import io.millrace.core.wire.Op;
import io.millrace.fuse.DetachedReply;
import io.millrace.fuse.FuseReply;
import io.millrace.fuse.FuseRequest;
import io.millrace.fuse.OpenReplyFlags;
import io.millrace.fuse.PayloadBuffer;
import io.millrace.proto.Command;
import io.millrace.proto.Create;
import io.millrace.proto.Inode;
import io.millrace.proto.InodeRequest;
import io.millrace.proto.OpenReply;
import io.millrace.proto.OpenRequest;
import io.millrace.proto.SetAttr;
import io.millrace.proto.Welcome;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;

/**
 * Opens, reads, writes and closes. What needs no answer of the node is answered on the worker;
 * everything else by whoever gets that answer. Any thread.
 */
final class FileCalls {
  private static final int ACCESS = 3;
  private static final int O_WRONLY = 1;
  private static final int O_EXCL = 0200;
  private static final int O_TRUNC = 01000;
  private static final int O_APPEND = 02000;

  private final MountContext context;
  private final EntryAnswers answers;
  private final Mutations mutations;
  private final SharedWindows windows;

  FileCalls(
      MountContext context, EntryAnswers answers, Mutations mutations, SharedWindows windows) {
    this.context = context;
    this.answers = answers;
    this.mutations = mutations;
    this.windows = windows;
  }

  private static boolean writes(int flags) {
    return (flags & ACCESS) != 0;
  }

  /**
   * An append goes past the page cache, else the kernel may cut it in two at the border of a page
   * that it hasn't read, and another client's could come between.
   */
  private static int appends(int flags) {
    return (flags & O_APPEND) != 0 ? OpenReplyFlags.DIRECT_IO : 0;
  }

  // ---- open ----

  void open(FuseRequest request, long ino, int flags) {
    forgetFirst(request);
    if (refused(request)) {
      return;
    }
    context.predictor().used(ino);
    if ((flags & O_TRUNC) != 0) {
      openTruncated(request, ino, flags);
      return;
    }
    long since = context.notices().now();
    var pending = new PendingOpen(context, ino);
    long facts = context.nodes().facts(ino); // after it counts as open, as a recall looks then
    if (NodeTable.has(facts, NodeTable.CONTENT_LEASE)
        && NodeTable.has(facts, NodeTable.PAGES_MATCH)
        && context.notices().isFresh(ino, since)
        && !isSquashed(request.uid())) {
      opened(request, ino, flags, OpenReplyFlags.KEEP_CACHE);
      pending.end();
      return;
    }
    DetachedReply kernel = request.detach();
    kernel.answerWhenInterrupted();
    askOpen(kernel, pending, ino, flags);
  }

  /** Who is somebody else at the node: its kernel's yes counts for nothing. */
  private boolean isSquashed(int uid) {
    Welcome node = context.channel().welcome();
    return node.getSquashAll() || (node.getSquashRoot() && uid == 0);
  }

  /**
   * Opened by another process, whose answer the kernel never got: nobody will close that handle.
   */
  private void forgetFirst(FuseRequest request) {
    if (request.isResent()) {
      release(context.open().openedBefore(request.key()));
    }
  }

  /** Before anything is made or truncated. */
  private boolean refused(FuseRequest request) {
    if (!context.open().isFull()) {
      return false;
    }
    request.error(Errno.ENFILE.code());
    return true;
  }

  private void askOpen(DetachedReply kernel, PendingOpen pending, long ino, int flags) {
    long since = context.notices().now();
    var question =
        OpenRequest.newBuilder()
            .setIno(ino)
            .setFlags(flags)
            .setWantContentUpTo(writes(flags) ? 0 : MountContext.INLINE_BYTES);
    new OpenAnswer(context.channel(), kernel, pending, question) {
      @Override
      void answer(Reply reply, DetachedReply to) {
        openAnswered(reply, to, pending, flags, since);
      }
    }.ask();
  }

  private void openAnswered(
      Reply reply, DetachedReply kernel, PendingOpen pending, int flags, long since) {
    OpenReply answer = reply.as(OpenReply.class);
    Inode inode = answer.getInode();
    long ino = inode.getIno();
    boolean fresh = answer.getLease() && context.notices().isFresh(ino, since);
    if (answer.getHasContent() && fresh) {
      context.staged().put(ino, inode.getContentSeq(), reply.payload());
    } else {
      reply.close();
    }
    context.recent().put(inode, since);
    long facts = answers.granted(ino, inode.getContentSeq(), answer.getLease(), since);
    if (facts == 0) {
      opened(kernel, ino, flags, 0);
      pending.end();
    } else if (NodeTable.has(facts, NodeTable.PAGES_MATCH)) {
      opened(kernel, ino, flags, OpenReplyFlags.KEEP_CACHE);
      pending.end();
    } else {
      dropPages(kernel, pending, ino, flags);
    }
  }

  /**
   * The kernel has pages of another version. They go before the open is answered, so that from then
   * on every page is of the version that the lease is about, also under opens at the same time.
   */
  private void dropPages(DetachedReply kernel, PendingOpen pending, long ino, int flags) {
    boolean sent =
        context
            .notifier()
            .invalidateInode(
                ino,
                0,
                0,
                errno -> {
                  context.nodes().change(ino, NodeTable.PAGES_MATCH, 0);
                  opened(kernel, ino, flags, OpenReplyFlags.KEEP_CACHE);
                  pending.end();
                });
    if (!sent) {
      opened(kernel, ino, flags, 0);
      pending.end();
    }
  }

  private void opened(FuseReply kernel, long ino, int flags, int openFlags) {
    DirtyFile dirty = writes(flags) ? context.writeBack().acquire(ino) : null;
    long fh = context.open().add(new FileHandle(ino, dirty), kernel.key());
    int quiet = context.config().clusterLocks() ? 0 : OpenReplyFlags.NOFLUSH; // H25
    int all = openFlags | (dirty == null ? quiet : appends(flags));
    if (!kernel.opened(fh, all)) {
      release(fh);
    }
  }

  /** Also where it is opened for reading only: Linux truncates then too. */
  private void openTruncated(FuseRequest request, long ino, int flags) {
    var op =
        SetAttr.newBuilder()
            .setIno(ino)
            .setKillSuid(request.openKillsSetuid())
            .setReads((flags & ACCESS) != O_WRONLY);
    Command.Builder command = MountContext.command(request);
    DetachedReply kernel = request.detach();
    var pending = new PendingOpen(context, ino);
    long since = context.notices().now();
    mutations.truncate(
        kernel,
        command,
        op,
        pending,
        inode -> {
          answers.granted(ino, inode.getContentSeq(), true, since);
          opened(kernel, ino, flags, OpenReplyFlags.KEEP_CACHE);
        });
  }

  /** An unnamed file: an orphan that is open here, until a link names it. */
  void tmpfile(FuseRequest request, long dir, int flags, int mode, int umask) {
    forgetFirst(request);
    if (refused(request)) {
      return;
    }
    long since = context.notices().now();
    var op = Create.newBuilder().setDir(dir).setMode(mode).setUmask(umask).setUnnamed(true);
    DetachedReply kernel = request.detach();
    CommandAnswer.send(
        context.session(),
        kernel,
        MountContext.command(request).setCreate(op),
        result -> created(kernel, dir, result.getInode(), since, flags, false));
  }

  void create(FuseRequest request, long dir, int flags, int mode, int umask) {
    forgetFirst(request);
    if (refused(request)) {
      return;
    }
    byte[] name = request.name();
    long since = context.notices().now();
    var op =
        Mutations.create(dir, name, mode)
            .setUmask(umask)
            .setExclusive((flags & O_EXCL) != 0)
            .setOpenFlags(flags);
    Command.Builder command = MountContext.command(request);
    Command.Builder truncation = MountContext.command(request);
    DetachedReply kernel = request.detach();
    CommandAnswer.send(
        context.session(),
        kernel,
        command.setCreate(op),
        result -> {
          Inode inode = result.getInode();
          if (!result.getExisted()) {
            mutations.made(dir, name, inode);
            context.recent().putNew(inode, since);
          }
          if (result.getExisted() && (flags & O_TRUNC) != 0) {
            var cut = SetAttr.newBuilder().setIno(inode.getIno());
            mutations.truncate(
                kernel,
                truncation,
                cut,
                new PendingOpen(context, inode.getIno()),
                i -> created(kernel, dir, i, since, flags, true));
          } else {
            created(kernel, dir, inode, since, flags, result.getExisted());
          }
        });
  }

  private void created(
      DetachedReply kernel, long dir, Inode inode, long since, int openFlags, boolean existed) {
    long ino = inode.getIno();
    DirtyFile dirty = context.writeBack().acquire(ino);
    dirty.baseIs(inode.getSize());
    dirty.growth().learn(inode);
    long fh = context.open().add(new FileHandle(ino, dirty), kernel.key());
    if (inode.getNlink() == 0) {
      context.open().orphan(ino);
    }
    int flags = (existed ? 0 : OpenReplyFlags.KEEP_CACHE) | appends(openFlags);
    if (!answers.created(kernel, dir, inode, since, fh, flags, !existed)) {
      release(fh);
    }
  }

  // ---- read ----

  void read(FuseRequest request, long ino, long fh, long offset, int size) {
    if (context.isDataset()) {
      context.predictor().used(ino);
    }
    if (context.open().isLockLost(fh)) {
      request.error(Errno.EIO.code());
      return;
    }
    DirtyFile dirty = context.writeBack().find(ino);
    if (dirty != null && !dirty.isClean()) {
      readDirty(request, ino, fh, dirty, offset, size);
      return;
    }
    DetachedReply kernel = request.detach();
    kernel.answerWhenInterrupted();
    readCommitted(kernel, ino, fh, offset, size);
  }

  private void readCommitted(DetachedReply kernel, long ino, long fh, long offset, int size) {
    long facts = context.nodes().facts(ino);
    boolean leased = NodeTable.has(facts, NodeTable.CONTENT_LEASE);
    try {
      context
          .reader()
          .read(
              ino,
              leased ? NodeTable.seq(facts) : 0,
              window(ino, fh, offset),
              offset,
              size,
              new KernelSink(kernel));
    } catch (RuntimeException e) {
      kernel.fail(e);
    }
  }

  private ReadAhead window(long ino, long fh, long offset) {
    FileHandle handle = context.open().get(fh);
    return handle == null
        ? windows.window(ino, offset)
        : handle.window(offset, context.reader()::readAhead);
  }

  private void readDirty(
      FuseRequest request, long ino, long fh, DirtyFile dirty, long offset, int size) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment bytes = arena.allocate(size);
      int got = dirty.read(offset, bytes);
      if (got >= 0) {
        request.data(bytes, 0, got);
      } else if (got == DirtyFile.NOT_HERE) {
        readCommitted(request.detach(), ino, fh, offset, size);
      } else {
        readAfterCommit(request.detach(), ino, fh, dirty, offset, size);
      }
    }
  }

  private void readAfterCommit(
      DetachedReply kernel, long ino, long fh, DirtyFile dirty, long offset, int size) {
    dirty.commit(
        false,
        (inode, failure) -> {
          if (failure != null) {
            kernel.fail(failure);
          } else {
            readCommitted(kernel, ino, fh, offset, size);
          }
        });
  }

  // ---- write ----

  void write(FuseRequest request, long ino, long fh, long offset, int size) {
    FileHandle handle = context.open().get(fh);
    if (handle == null || handle.dirty() == null) {
      throw new FsException(Errno.EINVAL, "write without a handle for writing", "ino", ino);
    }
    if (handle.isLost() || handle.isLockLost()) {
      request.error(Errno.EIO.code());
      return;
    }
    DirtyFile dirty = handle.dirty();
    boolean killsSuid = request.writeKillsSetuid();
    if (request.writeAppends()) {
      append(request, dirty, offset, size, killsSuid);
      return;
    }
    if (!dirty.growth().allows(offset + size)) {
      writeWithinQuota(request, dirty, offset, killsSuid);
      return;
    }
    int taken = dirty.write(offset, request.payload(), 0, killsSuid);
    if (taken == size) {
      request.written(size);
      return;
    }
    PayloadBuffer payload = request.takePayload();
    request.blocking(
        FuseRequest.OnInterrupt.IGNORE,
        kernel -> {
          try (payload) {
            context.writeBack().write(dirty, offset, payload.data(), taken, killsSuid);
          }
          kernel.written(size);
        });
  }

  /** What fits, as a local file system does; EDQUOT where nothing does. */
  private void writeWithinQuota(
      FuseRequest request, DirtyFile dirty, long offset, boolean killsSuid) {
    PayloadBuffer payload = request.takePayload();
    request.blocking(
        FuseRequest.OnInterrupt.IGNORE,
        kernel -> {
          int fitting;
          try (payload) {
            fitting = fitting(dirty, offset, payload.data().byteSize());
            var data = payload.data().asSlice(0, fitting);
            context.writeBack().write(dirty, offset, data, 0, killsSuid);
          }
          kernel.written(fitting);
        });
  }

  /** Asks what room there is now. */
  private int fitting(DirtyFile dirty, long offset, long size) {
    if (!dirty.growth().allows(offset + size)) {
      dirty.growth().learn(atNode(dirty.ino()));
    }
    long fitting = dirty.growth().fitting(offset, size);
    if (fitting <= 0) {
      throw new FsException(Errno.EDQUOT, "no room left in the quota", "ino", dirty.ino());
    }
    return (int) fitting;
  }

  /**
   * The kernel's offset is only where it believes the end to be. The bytes go to the end that this
   * client knows, and with the commit to the true one.
   */
  private void append(FuseRequest request, DirtyFile dirty, long offset, int size, boolean suid) {
    boolean known = dirty.knowsEnd();
    long end = known ? dirty.beginAppend(offset) : 0;
    boolean fits = known && dirty.growth().allows(end + size);
    int taken = fits ? appendNow(dirty, end, request, suid) : 0;
    if (taken == size) {
      dirty.endAppend();
      appended(request, dirty, offset, end, size);
      return;
    }
    PayloadBuffer payload = request.takePayload();
    request.blocking(
        FuseRequest.OnInterrupt.IGNORE,
        kernel -> {
          try (payload) {
            long at = known ? end : beginAfterAsking(dirty, offset);
            try {
              fitsWhole(dirty, at, size);
              context.writeBack().write(dirty, at, payload.data(), taken, suid);
            } finally {
              dirty.endAppend();
            }
            appended(kernel, dirty, offset, at, size);
          }
        });
  }

  /** An append lies in the file whole, or not at all. */
  private void fitsWhole(DirtyFile dirty, long at, int size) {
    if (!dirty.growth().allows(at + size) && fitting(dirty, at, size) < size) {
      throw new FsException(Errno.EDQUOT, "no room left in the quota", "ino", dirty.ino());
    }
  }

  private static int appendNow(DirtyFile dirty, long end, FuseRequest request, boolean suid) {
    boolean done = false;
    try {
      int taken = dirty.write(end, request.payload(), 0, suid);
      done = true;
      return taken;
    } finally {
      if (!done) {
        dirty.endAppend();
      }
    }
  }

  private long beginAfterAsking(DirtyFile dirty, long offset) {
    Inode inode = atNode(dirty.ino());
    dirty.baseIs(inode.getSize());
    dirty.growth().learn(inode);
    return dirty.beginAppend(offset);
  }

  /** Where the kernel put the bytes elsewhere in its own cache, that goes. */
  private void appended(FuseReply kernel, DirtyFile dirty, long offset, long end, int size) {
    kernel.written(size);
    if (end != offset) {
      context.notifier().invalidateInode(dirty.ino(), 0, 0, errno -> {});
    }
  }

  private Inode atNode(long ino) {
    var question = InodeRequest.newBuilder().setIno(ino).build();
    try (Reply reply = context.channel().await(Op.GETATTR, question, null)) {
      return reply.as(Inode.class);
    }
  }

  void flush(FuseRequest request, long fh) {
    FileHandle handle = context.open().get(fh);
    if (handle != null && handle.isLost()) {
      tellLost(request, handle);
      return;
    }
    boolean writes = handle != null && handle.dirty() != null;
    if (writes && context.config().syncOnClose()) {
      commitAndSync(request.detach(), handle);
    } else if (!writes || handle.dirty().isClean()) {
      request.ok();
    } else {
      DetachedReply kernel = request.detach();
      handle.dirty().commit(false, (inode, failure) -> Mutations.settle(kernel, failure));
    }
  }

  /** Before the locks of one who closes the file end. */
  void publish(long fh, Consumer<FsException> done) {
    FileHandle handle = context.open().get(fh);
    if (handle != null && handle.isLost()) {
      context.open().toldLost(handle);
      done.accept(new FsException(Errno.EIO, "written data was lost", "ino", handle.ino()));
    } else if (handle == null || handle.dirty() == null || handle.dirty().isClean()) {
      done.accept(null);
    } else {
      handle
          .dirty()
          .commit(context.config().syncOnClose(), (inode, failure) -> done.accept(failure));
    }
  }

  void fsync(FuseRequest request, long ino, long fh) {
    if (context.open().isLockLost(fh)) {
      request.error(Errno.EIO.code());
      return;
    }
    FileHandle handle = context.open().get(fh);
    if (handle != null && handle.isLost()) {
      tellLost(request, handle);
      return;
    }
    DetachedReply kernel = request.detach();
    if (handle == null || handle.dirty() == null) {
      sync(kernel, ino);
      return;
    }
    commitAndSync(kernel, handle);
  }

  /** Where there is nothing to commit, an earlier commit or the creation may not be durable yet. */
  private void commitAndSync(DetachedReply kernel, FileHandle handle) {
    handle
        .dirty()
        .commit(
            true,
            (inode, failure) -> {
              if (failure == null && inode == null) {
                sync(kernel, handle.ino());
              } else {
                Mutations.settle(kernel, failure);
              }
            });
  }

  /** As a page cache that failed to write: once by each handle, then it is as good as new (H17). */
  private void tellLost(FuseRequest request, FileHandle handle) {
    if (request.error(Errno.EIO.code())) {
      context.open().toldLost(handle);
    }
  }

  /** Everything acknowledged before survives power loss. */
  void sync(DetachedReply kernel, long ino) {
    new NodeAnswer(kernel) {
      @Override
      void answer(Reply reply, DetachedReply to) {
        reply.close();
        to.ok();
      }
    }.ask(context.channel(), Op.SYNC, InodeRequest.newBuilder().setIno(ino).build());
  }

  void release(FuseRequest request, long fh) {
    release(fh);
    request.ok();
  }

  private void release(long fh) {
    FileHandle handle = context.open().remove(fh);
    if (handle == null) {
      return;
    }
    handle.close();
    if (handle.dirty() != null) {
      context.writeBack().release(handle.dirty());
    }
    if (context.open().release(handle.ino())) {
      context.orphans().add(handle.ino());
    }
  }
}
