package io.millrace.link;

import io.millrace.core.api.BlockId;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.core.path.FileType;
import io.millrace.proto.ContentClass;
import io.millrace.proto.Inode;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Brings what is missing of a tree's content. A fixed number of threads take the next few files, or
 * the next block of a large one, from one walk of the tree and fetch them themselves: no queue, no
 * hand-over per file. The place in the walk is the workers' together; whether a block is here is
 * looked at outside of its lock.
 */
final class PreloadJob implements Job {
  private static final int FILES_AT_ONCE = 4;

  /** A file being loaded: done when its last block is. */
  private static final class Loading {
    final Inode inode;
    final int blocks;
    final AtomicInteger left;
    final AtomicBoolean failed = new AtomicBoolean();
    int next;

    Loading(Inode inode) {
      this.inode = inode;
      this.blocks = blocks(inode);
      this.left = new AtomicInteger(blocks);
    }
  }

  private record Missing(Loading file, int index) {}

  private final LinkParts parts;
  private final boolean dryRun;
  private final TaskProgress progress;
  private final List<Inode> tops;
  private final ReentrantLock taking = new ReentrantLock();
  private int nextTop;
  private TreeWalk walk;

  /** A file of several blocks that workers share; its end is noticed by who takes next. */
  private Loading current;

  PreloadJob(LinkParts parts, boolean dryRun, List<Inode> tops, TaskProgress progress) {
    this.parts = parts;
    this.dryRun = dryRun;
    this.tops = tops;
    this.progress = progress;
  }

  @Override
  public void run() throws InterruptedException {
    try (var workers = new Workers("preload", parts.config().preloadInFlight())) {
      workers.start(this::count, 1);
      workers.start(this::loadAll, parts.config().preloadInFlight());
      workers.await();
    }
  }

  private void count() {
    long files = 0;
    long bytes = 0;
    for (Inode top : tops) {
      var all = new TreeWalk(parts.namespace(), top);
      for (Optional<Inode> next = all.next(); next.isPresent(); next = all.next()) {
        if (isLoadable(next.get())) {
          files++;
          bytes += next.get().getSize();
        }
        if (Thread.currentThread().isInterrupted()) {
          return;
        }
      }
    }
    progress.total(files, bytes);
  }

  private void loadAll() {
    var files = new ArrayDeque<Inode>(FILES_AT_ONCE);
    while (!Thread.currentThread().isInterrupted()) {
      Missing block = take(files);
      if (block != null) {
        load(block);
      } else if (files.isEmpty()) {
        return;
      }
      while (!files.isEmpty() && !Thread.currentThread().isInterrupted()) {
        loadWhole(files.poll());
      }
    }
  }

  /** A block of the file that is shared; else small files into {@code files}, none at the end. */
  private Missing take(Deque<Inode> files) {
    taking.lock();
    try {
      if (current != null && current.next < current.blocks) {
        return new Missing(current, current.next++);
      }
      current = null;
      while (files.size() < FILES_AT_ONCE) {
        Inode inode = nextFile();
        if (inode == null) {
          return null;
        }
        if (blocks(inode) <= 1) {
          files.add(inode);
        } else if (isMissing(inode)) {
          current = new Loading(inode);
          return new Missing(current, current.next++);
        }
      }
      return null;
    } finally {
      taking.unlock();
    }
  }

  private void loadWhole(Inode inode) {
    if (dryRun || blocks(inode) == 0) {
      var _ = isMissing(inode);
      return;
    }
    try {
      if (parts.loader().bring(inode, 0)) {
        progress.done(1, inode.getObject().getSize());
      } else {
        progress.skipped(1);
      }
    } catch (FsException e) {
      if (e.errno() == Errno.EINTR) {
        Thread.currentThread().interrupt();
        return;
      }
      progress.failed(parts.shown(inode.getIno()), e);
    }
  }

  private void load(Missing block) {
    Loading file = block.file();
    long start = (long) block.index() * BlockId.MAX_BYTES;
    try {
      if (parts.loader().bring(file.inode, block.index())) {
        progress.bytes(Math.min(BlockId.MAX_BYTES, file.inode.getObject().getSize() - start));
      }
    } catch (FsException e) {
      if (e.errno() == Errno.EINTR) {
        Thread.currentThread().interrupt();
        return;
      }
      if (!file.failed.getAndSet(true)) {
        progress.failed(parts.shown(file.inode.getIno()), e);
      }
    }
    if (file.left.decrementAndGet() == 0 && !file.failed.get()) {
      progress.done(1, 0);
    }
  }

  /** Counts the file where nothing of it is to be loaded. */
  private boolean isMissing(Inode inode) {
    long here = bytesHere(inode);
    if (here >= inode.getObject().getSize()) {
      progress.skipped(1);
      return false;
    }
    if (dryRun) {
      progress.done(1, inode.getObject().getSize() - here);
      return false;
    }
    return true;
  }

  private static int blocks(Inode inode) {
    long size = inode.getObject().getSize();
    return Math.toIntExact((size + BlockId.MAX_BYTES - 1) / BlockId.MAX_BYTES);
  }

  private boolean isHere(Inode inode, int index) {
    return parts
        .store()
        .contains(new BlockId(inode.getIno(), inode.getObject().getStream(), index));
  }

  /** A file of one block needs one look, not a search for all its blocks. */
  private long bytesHere(Inode inode) {
    long size = inode.getObject().getSize();
    return size > BlockId.MAX_BYTES
        ? parts.store().bytesHere(inode.getIno(), inode.getObject().getStream())
        : size > 0 && isHere(inode, 0) ? size : 0;
  }

  /** Holds the lock. */
  private Inode nextFile() {
    while (true) {
      if (walk == null) {
        if (nextTop == tops.size()) {
          return null;
        }
        walk = new TreeWalk(parts.namespace(), tops.get(nextTop++));
      }
      Optional<Inode> next = walk.next();
      if (next.isEmpty()) {
        walk = null;
      } else if (isLoadable(next.get())) {
        return next.get();
      }
    }
  }

  private static boolean isLoadable(Inode inode) {
    return FileType.isRegular(inode)
        && inode.getContentClass() == ContentClass.CLEAN
        && inode.getObject().getStream() != 0;
  }
}
