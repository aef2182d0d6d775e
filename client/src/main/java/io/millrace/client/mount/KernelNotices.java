package io.millrace.client.mount;

import io.millrace.client.DirtyFile;
import io.millrace.core.api.FsException;
import io.millrace.core.wire.NodeChannel;
import io.millrace.core.wire.NodeChannel.Reply;
import io.millrace.core.wire.Op;
import io.millrace.fuse.FuseNotifier;
import io.millrace.fuse.LookupCounts;
import io.millrace.proto.Notice;
import io.millrace.proto.NoticeAck;
import io.millrace.proto.NoticeItem;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * What the node pushes becomes what the kernel must forget; acknowledged when it has (H7). Runs on
 * threads of the channel and blocks none: the kernel is told by the notifier's threads.
 *
 * <p>Invariant: an inode or directory is marked in {@link MountContext#notices} before the kernel
 * is told to forget it, so that no answer that is older than the notice is cached after it.
 */
final class KernelNotices implements NodeChannel.NoticeListener {
  private static final Logger LOG = System.getLogger(KernelNotices.class.getName());
  private static final long WAIT_FOR_NOTIFIER_MILLIS = 2;
  private static final int ENODEV = 19;

  private final MountContext context;
  private final KnownNames names;
  private final SharedWindows windows;
  private final OpenReclaim opens;
  private final PendingNotices pendingNotices;
  private final Runnable reclaimLocks;
  private final AtomicBoolean fencing = new AtomicBoolean();

  /** The node is to hear when the caches are gone. */
  private final AtomicBoolean dropped = new AtomicBoolean();

  /**
   * @param reclaimLocks asks for the locks that the node may have forgotten
   */
  KernelNotices(
      MountContext context,
      KnownNames names,
      SharedWindows windows,
      PendingNotices pendingNotices,
      Runnable reclaimLocks) {
    this.pendingNotices = pendingNotices;
    this.reclaimLocks = reclaimLocks;
    this.context = context;
    this.names = names;
    this.windows = windows;
    this.opens = new OpenReclaim(context);
  }

  /** One notice of the node; acknowledged when the kernel has done with all its items. */
  private final class Pending {
    private final long id;
    private final ConcurrentHashMap<Long, Boolean> open = new ConcurrentHashMap<>();
    private final AtomicInteger left = new AtomicInteger(1);

    Pending(long id) {
      this.id = id;
    }

    void begin(boolean accepted) {
      if (!accepted) {
        left.addAndGet(1 << 20);
        LOG.log(Level.WARNING, "too many notices wait for the kernel: one is not acknowledged");
      }
    }

    void done(int errno) {
      if (errno != 0 && errno != ENODEV) {
        LOG.log(Level.DEBUG, "the kernel answered a notice with errno {0}", errno);
      }
      if (left.decrementAndGet() == 0) {
        pendingNotices.done(this);
        acknowledge(NoticeAck.newBuilder().setId(id).addAllOpen(open.keySet()).build());
      }
    }
  }

  @Override
  public void notice(Notice notice) {
    var pending = new Pending(notice.getId());
    pendingNotices.began(pending);
    for (NoticeItem item : notice.getItemsList()) {
      mark(item);
      pending.left.incrementAndGet();
      pending.begin(apply(item, pending));
    }
    pending.done(0);
  }

  private void mark(NoticeItem item) {
    if (item.getDir() != 0) {
      context.notices().changed(item.getDir());
    }
    if (item.getIno() != 0) {
      context.notices().changed(item.getIno());
    }
  }

  private boolean apply(NoticeItem item, Pending pending) {
    return switch (item.getKind()) {
      case ENTRY_CHANGED -> {
        attributesLost(item.getIno(), pending);
        yield entryChanged(item, pending);
      }
      case ENTRY_DELETED -> {
        context.nodes().change(item.getIno(), 0, NodeTable.CONTENT_LEASE); // an open is to ask
        if (context.open().orphan(item.getIno())) {
          pending.open.put(item.getIno(), true);
        }
        attributesLost(item.getIno(), pending);
        yield entryChanged(item, pending);
      }
      case ATTR_CHANGED -> {
        context.nodes().change(item.getIno(), 0, NodeTable.NO_XATTRS);
        yield context.notifier().invalidateInode(item.getIno(), -1, 0, pending::done);
      }
      case CONTENT_CHANGED -> contentChanged(item.getIno(), pending);
      case CONTENT_RECALL -> recall(item.getIno(), pending);
      case UNRECOGNIZED -> {
        LOG.log(Level.WARNING, "a notice of a kind this version does not know: all is dropped");
        fence();
        pending.done(0);
        yield true;
      }
    };
  }

  /**
   * The inode that lost the name: its count of links is another now, and it may lie in a directory
   * on which this client has no lease.
   */
  private void attributesLost(long ino, Pending pending) {
    if (ino != 0 && context.nodes().counts().contains(ino)) {
      pending.left.incrementAndGet();
      pending.begin(context.notifier().invalidateInode(ino, -1, 0, pending::done));
    }
  }

  private boolean entryChanged(NoticeItem item, Pending pending) {
    if (item.getName().isEmpty()) {
      names.drop(item.getDir());
      context.nodes().change(item.getDir(), 0, NodeTable.DIRECTORY_LEASE);
      context.notifier().invalidateInode(item.getDir(), 0, 0, errno -> {});
      return context.notifier().incEpoch(pending::done);
    }
    return context
        .notifier()
        .invalidateEntry(item.getDir(), item.getName().toByteArray(), false, pending::done);
  }

  private boolean contentChanged(long ino, Pending pending) {
    context.nodes().contentLost(ino);
    context.staged().drop(ino);
    DirtyFile dirty = context.writeBack().find(ino);
    if (dirty != null) {
      dirty.baseIs(-1);
    }
    if (context.open().isOpen(ino)) {
      pending.open.put(ino, true);
    }
    return context.notifier().invalidateInode(ino, 0, 0, pending::done);
  }

  /** Without opens nobody knows whether it is read: then its pages go with the lease. */
  private boolean recall(long ino, Pending pending) {
    context.nodes().change(ino, 0, NodeTable.CONTENT_LEASE); // first: an open is to ask from now on
    if (context.open().isOpen(ino)) {
      pending.open.put(ino, true);
      pending.done(0);
      return true;
    }
    context.staged().drop(ino);
    if (context.isDataset()) {
      context.nodes().contentLost(ino);
      return context.notifier().invalidateInode(ino, 0, 0, pending::done);
    }
    pending.done(0);
    return true;
  }

  private void acknowledge(NoticeAck ack) {
    try {
      context
          .channel()
          .call(
              Op.NOTICE_ACK,
              ack,
              null,
              new NodeChannel.Callback() {
                @Override
                public void done(Reply reply) {
                  reply.close();
                }

                @Override
                public void failed(FsException failure) {
                  LOG.log(Level.DEBUG, "an acknowledgement did not arrive", failure);
                }
              });
    } catch (FsException e) {
      LOG.log(Level.DEBUG, "an acknowledgement could not be sent", e);
    }
  }

  @Override
  public void leasesLost() {
    context.session().renewed();
    reclaimLocks.run();
    dropped.set(true);
    fence();
    opens.reclaim();
  }

  @Override
  public void leaseAtRisk() {
    fence();
  }

  /**
   * Nothing cached is served from now on; what is dirty stays and is sent when the node is back.
   */
  private void fence() {
    context.notices().allChanged();
    context.staged().clear();
    windows.clear();
    names.clear();
    context.recent().clear();
    if (fencing.compareAndSet(false, true)) {
      Thread.ofVirtual().name("millrace-fence").start(this::dropKernelCaches);
    }
  }

  private void dropKernelCaches() {
    fencing.set(false);
    var left = new AtomicInteger(1);
    long boot = context.channel().welcome().getBoot();
    boolean toBeTold = dropped.getAndSet(false);
    FuseNotifier.Done told =
        errno -> {
          if (left.decrementAndGet() == 0) {
            pendingNotices.allDone();
            if (toBeTold) {
              opens.dropped(boot);
            }
          }
        };
    try {
      LookupCounts counts = context.nodes().counts();
      for (int part = 0; part < LookupCounts.PARTS; part++) {
        for (long ino : counts.nodes(part)) {
          context.nodes().contentLost(ino);
          context.nodes().change(ino, 0, NodeTable.DIRECTORY_LEASE);
        }
      }
      left.incrementAndGet();
      untilAccepted(() -> context.notifier().incEpoch(told));
      for (int part = 0; part < LookupCounts.PARTS; part++) {
        for (long ino : counts.nodes(part)) {
          left.incrementAndGet();
          untilAccepted(() -> context.notifier().invalidateInode(ino, 0, 0, told));
        }
      }
      told.done(0);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private interface Telling {
    boolean accepted();
  }

  private void untilAccepted(Telling telling) throws InterruptedException {
    while (!telling.accepted() && !context.ended().get()) {
      Thread.sleep(WAIT_FOR_NOTIFIER_MILLIS);
    }
  }
}
