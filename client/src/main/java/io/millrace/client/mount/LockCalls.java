package io.millrace.client.mount;

import io.millrace.client.DirtyFile;
import io.millrace.client.mount.HeldLocks.Holder;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.core.lock.LockRange;
import io.millrace.core.wire.NodeChannel;
import io.millrace.core.wire.NodeChannel.Reply;
import io.millrace.core.wire.Op;
import io.millrace.fuse.DetachedReply;
import io.millrace.fuse.FileLock;
import io.millrace.fuse.FuseRequest;
import io.millrace.proto.LockAction;
import io.millrace.proto.LockRecord;
import io.millrace.proto.LockReply;
import io.millrace.proto.LockRequest;
import io.millrace.proto.LockType;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/**
 * flock and fcntl locks that the node holds ({@code --locks cluster}). No thread waits: a request
 * that does is a reply of the node's that has not come. Any thread.
 *
 * <p>What was written is published before its lock is given up, and a lock is handed to its asker
 * after the kernel has dropped what others changed before: so who holds a lock sees what was done
 * under it.
 */
final class LockCalls {
  private static final Logger LOG = System.getLogger(LockCalls.class.getName());

  /** Requests unanswered at a time; beyond it ENOLCK. */
  private static final int ASKED_MAX = 8192;

  private static final int RECLAIM_BATCH = 1000;

  /** How long an interrupted request waits for a node to say whether it got the lock after all. */
  private static final long INTERRUPT_MILLIS = 1000;

  private static final Executor LATER =
      CompletableFuture.delayedExecutor(INTERRUPT_MILLIS, TimeUnit.MILLISECONDS, Runnable::run);

  private final MountContext context;
  private final PendingNotices notices;
  private final HeldLocks held = new HeldLocks();
  private final AtomicInteger asked = new AtomicInteger();

  /** The latest: an earlier one has nothing to say any more. */
  private volatile Claim latest;

  LockCalls(MountContext context, PendingNotices notices) {
    this.context = context;
    this.notices = notices;
  }

  private static Holder holder(long ino, FileLock lock) {
    return new Holder(ino, lock.whole(), lock.owner());
  }

  private static LockRange range(FileLock lock) {
    return new LockRange(lock.start(), lock.end(), lock.type() == FileLock.WRITE, lock.pid());
  }

  private static LockRecord.Builder record(long ino, FileLock lock) {
    LockType type =
        switch (lock.type()) {
          case FileLock.READ -> LockType.LOCK_SHARED;
          case FileLock.WRITE -> LockType.LOCK_EXCLUSIVE;
          default -> LockType.LOCK_NONE;
        };
    return HeldLocks.record(holder(ino, lock), range(lock)).toBuilder().setType(type);
  }

  // ---- asking ----

  void getlk(FuseRequest request, long ino, FileLock lock) {
    DetachedReply kernel = request.detach();
    kernel.answerWhenInterrupted();
    var question =
        LockRequest.newBuilder().setAction(LockAction.LOCK_TEST).setLock(record(ino, lock));
    new NodeAnswer(kernel) {
      @Override
      void answer(Reply reply, DetachedReply to) {
        LockReply found = reply.as(LockReply.class);
        reply.close();
        to.lock(found.hasConflict() ? conflict(found.getConflict()) : none(lock));
      }
    }.ask(context.channel(), Op.LOCK, question.build());
  }

  private static FileLock conflict(LockRecord lock) {
    int type = lock.getType() == LockType.LOCK_EXCLUSIVE ? FileLock.WRITE : FileLock.READ;
    return new FileLock(
        0, 0, lock.getStart(), lock.getEnd(), type, lock.getPid(), lock.getWholeFile());
  }

  private static FileLock none(FileLock asked) {
    return new FileLock(0, 0, asked.start(), asked.end(), FileLock.UNLOCK, 0, asked.whole());
  }

  void setlk(FuseRequest request, long ino, FileLock lock, boolean wait) {
    DetachedReply kernel = request.detach();
    Holder holder = holder(ino, lock);
    if (lock.type() == FileLock.UNLOCK) {
      giveUp(kernel, holder, lock);
    } else if (held.isLost(holder)) {
      kernel.fail(lost(ino));
    } else if (asked.get() >= ASKED_MAX) {
      kernel.error(Errno.ENOLCK.code());
    } else {
      context.open().locks(lock.fh(), lock.owner());
      LockAction action = wait ? LockAction.LOCK_WAIT : LockAction.LOCK_SET;
      var question = new Question(kernel, holder, range(lock), action);
      if (lock.type() == FileLock.READ && held.holds(holder)) {
        published(ino, failure -> question.askAfter(failure)); // others may read from now on
      } else {
        question.askAfter(null);
      }
    }
  }

  private static FsException lost(long ino) {
    return new FsException(Errno.EIO, "a lock on this file was lost", "ino", ino);
  }

  /** A lock that is asked for. */
  private final class Question implements NodeChannel.Callback {
    private final DetachedReply kernel;
    private final Holder holder;
    private final LockRange range;
    private final LockAction action;

    Question(DetachedReply kernel, Holder holder, LockRange range, LockAction action) {
      this.kernel = kernel;
      this.holder = holder;
      this.range = range;
      this.action = action;
    }

    void askAfter(FsException failure) {
      if (failure != null) {
        kernel.fail(failure);
        return;
      }
      asked.incrementAndGet();
      send(
          LockRequest.newBuilder()
              .setAction(action)
              .setTicket(kernel.key())
              .setLock(HeldLocks.record(holder, range))
              .build(),
          this);
      kernel.onInterrupt(this::interrupted);
    }

    /** The node knows whether it was too late; one that is away is not waited for. */
    private void interrupted() {
      send(
          LockRequest.newBuilder()
              .setAction(LockAction.LOCK_CANCEL)
              .setTicket(kernel.key())
              .build(),
          new Done(failure -> {}));
      LATER.execute(() -> kernel.error(Errno.EINTR.code()));
    }

    @Override
    public void done(Reply reply) {
      reply.close();
      asked.decrementAndGet();
      boolean lostBefore = held.isLost(holder);
      held.granted(holder, range);
      notices.afterThese(() -> hand(lostBefore));
    }

    private void hand(boolean lostBefore) {
      boolean taken = lostBefore ? kernel.fail(lost(holder.ino())) : kernel.ok();
      if (lostBefore || !taken) {
        unlock(holder, range.start(), range.end(), failure -> {});
      }
    }

    @Override
    public void failed(FsException failure) {
      asked.decrementAndGet();
      kernel.fail(failure);
    }
  }

  // ---- giving up ----

  private void giveUp(DetachedReply kernel, Holder holder, FileLock lock) {
    boolean lostBefore = held.isLost(holder);
    published(
        holder.ino(),
        unpublished ->
            unlock(
                holder,
                lock.start(),
                lock.end(),
                failure -> {
                  FsException first = unpublished == null ? failure : unpublished;
                  Mutations.settle(kernel, lostBefore ? lost(holder.ino()) : first);
                }));
  }

  /** What this mount has written to the file is at the node. */
  private void published(long ino, Consumer<FsException> then) {
    DirtyFile dirty = context.writeBack().find(ino);
    if (dirty == null || dirty.isClean()) {
      then.accept(null);
    } else {
      dirty.commit(false, (inode, failure) -> then.accept(failure));
    }
  }

  private void unlock(Holder holder, long start, long end, Consumer<FsException> then) {
    held.unlocked(holder, start, end);
    if (!held.isLost(holder)) {
      context.open().lockLost(holder.ino(), holder.owner(), false);
    }
    LockRecord.Builder lock =
        HeldLocks.record(holder, new LockRange(start, end, false, 0)).toBuilder();
    send(
        LockRequest.newBuilder()
            .setAction(LockAction.LOCK_SET)
            .setLock(lock.setType(LockType.LOCK_NONE))
            .build(),
        new Done(then));
  }

  private record Done(Consumer<FsException> then) implements NodeChannel.Callback {
    @Override
    public void done(Reply reply) {
      reply.close();
      then.accept(null);
    }

    @Override
    public void failed(FsException failure) {
      then.accept(failure);
    }
  }

  private void send(LockRequest request, NodeChannel.Callback callback) {
    try {
      context.channel().call(Op.LOCK, request, null, callback);
    } catch (FsException e) {
      callback.failed(e);
    }
  }

  /** Whether a close by this process ends byte ranges of it. */
  boolean endsAtFlush(long ino, long fh, long owner) {
    context.open().locksNoMore(fh, owner);
    return held.holds(new Holder(ino, false, owner));
  }

  /**
   * The process closes the file, and has its byte ranges of it no more.
   *
   * @param failure of the close itself; null
   */
  void flushed(DetachedReply kernel, long ino, long owner, FsException failure) {
    published(
        ino,
        unpublished ->
            unlock(
                new Holder(ino, false, owner),
                0,
                LockRange.TO_END,
                notUnlocked -> Mutations.settle(kernel, failure == null ? unpublished : failure)));
  }

  /** What is left is the open file description's own: flock, and fcntl's OFD locks. */
  void released(long ino, FileHandle handle) {
    for (long owner : handle.lockOwners()) {
      for (boolean whole : List.of(false, true)) {
        var holder = new Holder(ino, whole, owner);
        if (held.holds(holder)) {
          published(ino, failure -> unlock(holder, 0, LockRange.TO_END, f -> {}));
        }
      }
    }
  }

  // ---- after the leases were lost, or the node's restart ----

  /**
   * Claims what is held. Says that this was all when nothing written under a lost lock is on its
   * way any more: until then the node takes none of it. Must not block.
   */
  void reclaim() {
    var claim = new Claim();
    latest = claim;
    List<LockRecord> all = held.all();
    for (int from = 0; from < all.size(); from += RECLAIM_BATCH) {
      int to = Math.min(all.size(), from + RECLAIM_BATCH);
      claim.begun();
      send(claim().addAllHeld(all.subList(from, to)).build(), claim);
    }
    claim.ended();
  }

  private static LockRequest.Builder claim() {
    return LockRequest.newBuilder().setAction(LockAction.LOCK_RECLAIM);
  }

  /** Ends with the last of its answers and of the files that they concern. */
  private final class Claim implements NodeChannel.Callback {
    private final AtomicInteger open = new AtomicInteger(1);

    void begun() {
      open.incrementAndGet();
    }

    void ended() {
      if (open.decrementAndGet() == 0 && latest == this) {
        send(claim().setLast(true).build(), new Done(Claim::unanswered));
      }
    }

    @Override
    public void done(Reply reply) {
      LockReply answer = reply.as(LockReply.class);
      reply.close();
      answer.getLostList().forEach(lock -> lose(lock, this));
      ended();
    }

    @Override
    public void failed(FsException failure) {
      unanswered(failure);
    }

    /** The leases are lost again, and all is claimed once more when the node is back. */
    private static void unanswered(FsException failure) {
      if (failure != null) {
        LOG.log(Level.DEBUG, "locks were not claimed", failure);
      }
    }
  }

  /** As NFSv4 does: the holder gets EIO until it has given the lock up or closed the file. */
  private void lose(LockRecord lock, Claim claim) {
    LOG.log(Level.WARNING, "a lock on inode " + lock.getIno() + " was lost");
    var holder = new Holder(lock.getIno(), lock.getWholeFile(), lock.getOwner());
    boolean exclusive = lock.getType() == LockType.LOCK_EXCLUSIVE;
    held.lost(holder, new LockRange(lock.getStart(), lock.getEnd(), exclusive, lock.getPid()));
    if (held.isLost(holder)) {
      context.open().lockLost(lock.getIno(), lock.getOwner(), true);
      DirtyFile dirty = context.writeBack().find(lock.getIno());
      if (dirty != null && !dirty.isClean()) {
        drop(dirty, lost(lock.getIno()), claim);
      }
    }
  }

  private static void drop(DirtyFile dirty, FsException why, Claim claim) {
    claim.begun();
    dirty.keep(why);
    dirty.commit(
        false,
        (inode, failure) -> {
          dirty.keep(failure == null ? why : failure); // nobody was told yet
          claim.ended();
        });
  }
}
