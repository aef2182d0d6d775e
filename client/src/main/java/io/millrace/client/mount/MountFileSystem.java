package io.millrace.client.mount;

import com.google.protobuf.MessageLite;
import io.millrace.client.ContentCache;
import io.millrace.client.ContentReader;
import io.millrace.client.Freshness;
import io.millrace.client.LookupPredictor;
import io.millrace.client.MountLedger;
import io.millrace.client.NodeSession;
import io.millrace.client.ReadAheadBudget;
import io.millrace.client.StagedContent;
import io.millrace.client.WriteBack;
import io.millrace.client.WriteBuffers;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.core.api.Ino;
import io.millrace.core.wire.NodeChannel;
import io.millrace.core.wire.NodeChannel.Reply;
import io.millrace.core.wire.Op;
import io.millrace.fuse.CopyRange;
import io.millrace.fuse.DetachedReply;
import io.millrace.fuse.FileLock;
import io.millrace.fuse.FuseFileSystem;
import io.millrace.fuse.FuseRequest;
import io.millrace.fuse.FuseSession;
import io.millrace.fuse.SetattrIn;
import io.millrace.proto.Command;
import io.millrace.proto.CommandResult;
import io.millrace.proto.Inode;
import io.millrace.proto.ReapOrphan;
import io.millrace.proto.ReleaseLeases;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The file system the kernel sees: nodeid = inode number, every operation handed to the part that
 * serves it. Owns the parts, their memory and threads, from {@link #init} to {@link #destroy}.
 */
final class MountFileSystem implements FuseFileSystem, WriteBack.Listener {
  private static final Logger LOG = System.getLogger(MountFileSystem.class.getName());
  private static final Duration TICK = Duration.ofMillis(200);
  private static final Duration LAST_FLUSH = Duration.ofSeconds(60);
  private static final int SENDERS = 2;
  private static final int LEASES_PER_RELEASE = 512;
  private static final int ORPHANS_PER_REAP = 256;

  private final MountConfig config;
  private final NodeSession session;
  private final ContentCache l2;
  private final WriteBuffers buffers;
  private final StagedContent staged;
  private final ExecutorService senders;
  private final CountDownLatch stop = new CountDownLatch(1);
  private final AtomicBoolean ended = new AtomicBoolean();
  private volatile List<String> unflushed = List.of();

  private MountContext context;
  private Lookups lookups;
  private Mutations mutations;
  private FileCalls files;
  private SpaceCalls space;
  private Directories directories;
  private EntryAnswers answers;
  private SharedWindows windows;
  private LockCalls locks;

  MountFileSystem(MountConfig config, NodeChannel channel, ContentCache l2, MountLedger ledger) {
    this.config = config;
    this.session = new NodeSession(channel, ledger);
    this.l2 = l2;
    this.buffers = new WriteBuffers(config.writeBackBytes());
    this.staged = new StagedContent(config.stagedBytes());
    this.senders =
        Executors.newFixedThreadPool(
            SENDERS, Thread.ofPlatform().daemon().name("millrace-write-back-", 0).factory());
  }

  @Override
  public void init(FuseSession fuse) {
    var ticks = new AtomicLong(1);
    var noticed = new Freshness(ticks);
    var own = new Freshness(ticks);
    var nodes = new NodeTable(fuse.lookups());
    fuse.lookups().increment(Ino.ROOT); // the kernel holds it without having looked it up
    var reader =
        new ContentReader(
            session.channel(),
            l2,
            staged,
            noticed,
            own,
            new ReadAheadBudget(config.readAheadBytes()),
            (ino, seq, since) -> answers.granted(ino, seq, true, since));
    var writeBack = new WriteBack(session, buffers, InstantSource.system(), this, senders);
    context =
        new MountContext(
            config,
            session,
            nodes,
            fuse.notifier(),
            noticed,
            own,
            new LookupPredictor(),
            staged,
            new RecentAttributes(nodes, noticed, own),
            new GoneInodes(nodes, InstantSource.system()),
            reader,
            writeBack,
            new OpenFiles(session.ledger(), config.openFilesMax()),
            new BatchedWork(LEASES_PER_RELEASE, this::releaseContent),
            new BatchedWork(LEASES_PER_RELEASE, this::releaseDirectories),
            new BatchedWork(ORPHANS_PER_REAP, this::reap),
            leaseNanos(fuse),
            ended);
    var names = new KnownNames(session, noticed);
    answers = new EntryAnswers(context);
    lookups = new Lookups(context, answers, names);
    mutations = new Mutations(context, answers, names);
    windows = new SharedWindows(reader::readAhead);
    files = new FileCalls(context, answers, mutations, windows);
    space = new SpaceCalls(context, mutations);
    directories = new Directories(context, answers);
    var pendingNotices = new PendingNotices();
    locks = new LockCalls(context, pendingNotices);
    Runnable reclaim = config.clusterLocks() ? locks::reclaim : () -> {};
    var notices = new KernelNotices(context, names, windows, pendingNotices, reclaim);
    new Succession(context, notices).begin(fuse);
    session.channel().onNotice(notices);
    Thread.ofVirtual().name("millrace-mount-clock").start(this::tick);
  }

  /** Where one notice can't make all entries stale, they must not outlive the lease (H9). */
  private long leaseNanos(FuseSession fuse) {
    return fuse.features().canIncEpoch()
        ? EntryAnswers.LEASED_NANOS
        : Math.max(1, session.channel().welcome().getLeaseMs()) * 1_000_000L / 2;
  }

  private void tick() {
    try {
      while (!stop.await(TICK.toMillis(), TimeUnit.MILLISECONDS)) {
        context.leases().flush();
        context.directoryLeases().flush();
        context.orphans().flush();
        keepHeldNodesShort();
        context.writeBack().commitOlderThan(config.commitAfter().toNanos());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void keepHeldNodesShort() {
    var counts = context.nodes().counts();
    var held = session.ledger().nodes();
    if (held.isLoose(counts.size())) {
      held.rewrite(all -> counts.forEach((ino, count, facts) -> all.accept(ino)));
    }
  }

  // ---- leases and orphans, in batches ----

  private void releaseContent(List<Long> inodes) {
    release(ReleaseLeases.newBuilder().addAllContent(notHeldAgain(inodes)).build());
  }

  private void releaseDirectories(List<Long> inodes) {
    release(ReleaseLeases.newBuilder().addAllDirectories(notHeldAgain(inodes)).build());
  }

  /** Marks them first, so that a lease granted before the release arrives is not believed. */
  private List<Long> notHeldAgain(List<Long> inodes) {
    inodes.forEach(context.notices()::changed);
    return inodes.stream().filter(ino -> !context.nodes().counts().contains(ino)).toList();
  }

  private void release(ReleaseLeases leases) {
    if (leases.getContentCount() + leases.getDirectoriesCount() > 0) {
      call(Op.RELEASE_LEASES, leases);
    }
  }

  private void call(Op op, MessageLite request) {
    try {
      session
          .channel()
          .call(
              op,
              request,
              null,
              new NodeChannel.Callback() {
                @Override
                public void done(Reply reply) {
                  reply.close();
                }

                @Override
                public void failed(FsException failure) {
                  LOG.log(Level.DEBUG, "not answered: " + op, failure);
                }
              });
    } catch (FsException e) {
      LOG.log(Level.DEBUG, "not sent: " + op, e);
    }
  }

  private void reap(List<Long> inodes) {
    session.mutate(
        Command.newBuilder().setReapOrphan(ReapOrphan.newBuilder().addAllIno(inodes)),
        false,
        new NodeSession.Outcome() {
          @Override
          public void done(CommandResult result) {}

          @Override
          public void failed(FsException failure) {
            LOG.log(Level.WARNING, "unnamed inodes stay until the session ends", failure);
          }
        });
  }

  // ---- write-back's news ----

  @Override
  public void committed(Inode inode) {
    context.nodes().ownChange(inode.getIno(), inode.getContentSeq());
    context.own().changed(inode.getIno());
    staged.drop(inode.getIno());
  }

  @Override
  public void moved(long ino) {
    context.nodes().contentLost(ino);
    context.own().changed(ino);
    context.notifier().invalidateInode(ino, 0, 0, errno -> {});
  }

  @Override
  public void lost(long ino, FsException failure) {
    LOG.log(Level.WARNING, "data written to inode " + ino + " was lost: " + failure.getMessage());
    moved(ino);
  }

  // ---- the end ----

  /** Sends all that is dirty and waits. Gives a line for each file that could not be sent. */
  List<String> flush() throws InterruptedException {
    return context == null ? List.of() : context.writeBack().flushAll(LAST_FLUSH);
  }

  /** Another process wants to go on with the mount; true once. */
  boolean takeHandOverWish() {
    return session.ledger().takeWish();
  }

  /** What was not sent when the mount ended; empty while it runs. */
  List<String> unflushed() {
    return unflushed;
  }

  @Override
  public void destroy() {
    try {
      unflushed = flush();
      unflushed.forEach(line -> LOG.log(Level.ERROR, "not written: " + line));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    ended.set(true);
    stop.countDown();
    context.leases().flush();
    context.directoryLeases().flush();
    context.orphans().flush();
    windows.clear();
    staged.close();
    senders.shutdown();
    buffers.close();
    l2.close();
  }

  @Override
  public int errnoOf(Throwable failure) {
    return failure instanceof FsException e ? e.errno().code() : Errno.EIO.code();
  }

  @Override
  public void forgotten(long nodeid, long value) {
    answers.forgotten(nodeid, value);
  }

  // ---- the kernel's operations ----

  @Override
  public void lookup(FuseRequest request, long parent) {
    lookups.lookup(request, parent);
  }

  @Override
  public void getattr(FuseRequest request, long nodeid, long fh) {
    lookups.getattr(request, nodeid);
  }

  @Override
  public void setattr(FuseRequest request, long nodeid, SetattrIn changes) {
    mutations.setattr(request, nodeid, changes);
  }

  @Override
  public void readlink(FuseRequest request, long nodeid) {
    lookups.readlink(request, nodeid);
  }

  @Override
  public void symlink(FuseRequest request, long parent) {
    mutations.symlink(request, parent);
  }

  @Override
  public void mknod(FuseRequest request, long parent, int mode, int umask, int rdev) {
    mutations.mknod(request, parent, mode, umask, rdev);
  }

  @Override
  public void mkdir(FuseRequest request, long parent, int mode, int umask) {
    mutations.mkdir(request, parent, mode, umask);
  }

  @Override
  public void unlink(FuseRequest request, long parent) {
    mutations.unlink(request, parent);
  }

  @Override
  public void rmdir(FuseRequest request, long parent) {
    mutations.rmdir(request, parent);
  }

  @Override
  public void rename(FuseRequest request, long parent, long newParent, int flags) {
    mutations.rename(request, parent, newParent, flags);
  }

  @Override
  public void link(FuseRequest request, long nodeid, long newParent) {
    mutations.link(request, nodeid, newParent);
  }

  @Override
  public void open(FuseRequest request, long nodeid, int flags) {
    if (context.isDataset()) {
      request.error(Errno.ENOSYS.code());
    } else {
      files.open(request, nodeid, flags);
    }
  }

  @Override
  public void create(FuseRequest request, long parent, int flags, int mode, int umask) {
    files.create(request, parent, flags, mode, umask);
  }

  @Override
  public void tmpfile(FuseRequest request, long parent, int flags, int mode, int umask) {
    files.tmpfile(request, parent, flags, mode, umask);
  }

  @Override
  public void read(FuseRequest request, long nodeid, long fh, long offset, int size) {
    files.read(request, nodeid, fh, offset, size);
  }

  @Override
  public void write(FuseRequest request, long nodeid, long fh, long offset, int size) {
    files.write(request, nodeid, fh, offset, size);
  }

  @Override
  public void flush(FuseRequest request, long nodeid, long fh) {
    if (context.isDataset()) {
      request.error(Errno.ENOSYS.code());
    } else if (config.clusterLocks() && locks.endsAtFlush(nodeid, fh, request.lockOwner())) {
      long owner = request.lockOwner();
      DetachedReply kernel = request.detach();
      files.publish(fh, failure -> locks.flushed(kernel, nodeid, owner, failure));
    } else {
      files.flush(request, fh);
    }
  }

  @Override
  public void fsync(FuseRequest request, long nodeid, long fh, boolean dataOnly) {
    files.fsync(request, nodeid, fh);
  }

  @Override
  public void release(FuseRequest request, long nodeid, long fh, int flags) {
    FileHandle handle = config.clusterLocks() ? context.open().get(fh) : null;
    if (handle != null) {
      locks.released(nodeid, handle);
    }
    files.release(request, fh);
  }

  @Override
  public void getlk(FuseRequest request, long nodeid, FileLock lock) {
    locks.getlk(request, nodeid, lock);
  }

  @Override
  public void setlk(FuseRequest request, long nodeid, FileLock lock, boolean wait) {
    locks.setlk(request, nodeid, lock, wait);
  }

  @Override
  public void fsyncdir(FuseRequest request, long nodeid, long fh, boolean dataOnly) {
    files.sync(request.detach(), nodeid);
  }

  @Override
  public void opendir(FuseRequest request, long nodeid, int flags) {
    if (context.isDataset()) {
      request.error(Errno.ENOSYS.code());
    } else {
      directories.opendir(request);
    }
  }

  @Override
  public void readdir(FuseRequest request, long nodeid, long fh, long cookie) {
    directories.readdir(request, nodeid, fh, cookie);
  }

  @Override
  public void releasedir(FuseRequest request, long nodeid, long fh) {
    directories.releasedir(request, fh);
  }

  @Override
  public void statfs(FuseRequest request, long nodeid) {
    lookups.statfs(request, nodeid);
  }

  @Override
  public void setxattr(FuseRequest request, long nodeid, int flags) {
    mutations.setxattr(request, nodeid, flags);
  }

  @Override
  public void getxattr(FuseRequest request, long nodeid, int size) {
    lookups.getxattr(request, nodeid, size);
  }

  @Override
  public void listxattr(FuseRequest request, long nodeid, int size) {
    lookups.listxattr(request, nodeid, size);
  }

  @Override
  public void removexattr(FuseRequest request, long nodeid) {
    mutations.removexattr(request, nodeid);
  }

  @Override
  public void fallocate(
      FuseRequest request, long nodeid, long fh, long offset, long length, int mode) {
    space.fallocate(request, nodeid, offset, length, mode);
  }

  @Override
  public void lseek(FuseRequest request, long nodeid, long fh, long offset, int whence) {
    space.lseek(request, nodeid, offset, whence);
  }

  @Override
  public void copyFileRange(FuseRequest request, CopyRange range) {
    space.copy(request, range);
  }
}
