package io.millrace.link;

import io.millrace.core.api.BlockId;
import io.millrace.core.api.ContentSource.Urgency;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.proto.ContentClass;
import io.millrace.proto.Inode;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Brings what is missing of a tree's content. A fixed number of threads take the next missing block
 * from one walk of the tree and fetch it themselves: no queue, no hand-over per file.
 */
final class PreloadJob implements Job {

  /** A file being loaded: done when its last block is. */
  private static final class Loading {
    final Inode inode;
    final int blocks;
    final AtomicInteger left;
    final AtomicBoolean failed = new AtomicBoolean();
    int next;

    Loading(Inode inode) {
      this.inode = inode;
      this.blocks = blocks(inode.getObject().getSize());
      this.left = new AtomicInteger(blocks);
    }

    static int blocks(long size) {
      return (int) ((size + BlockId.MAX_BYTES - 1) / BlockId.MAX_BYTES);
    }
  }

  private record Missing(Loading file, int index) {}

  private final LinkParts parts;
  private final boolean dryRun;
  private final TaskProgress progress;
  private final List<Inode> tops;

  /** The place in the walk is the workers' together. */
  private final ReentrantLock taking = new ReentrantLock();

  private int nextTop;
  private TreeWalk walk;
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
    for (Missing block = next(); block != null; block = next()) {
      load(block);
      if (Thread.currentThread().isInterrupted()) {
        return;
      }
    }
  }

  private void load(Missing block) {
    Loading file = block.file();
    Inode inode = file.inode;
    long start = (long) block.index() * BlockId.MAX_BYTES;
    int length = (int) Math.min(BlockId.MAX_BYTES, inode.getObject().getSize() - start);
    try {
      parts.loader().load(inode, block.index(), 0, length, Urgency.PRELOAD).close();
      progress.bytes(length);
    } catch (FsException e) {
      if (e.errno() == Errno.EINTR) {
        Thread.currentThread().interrupt();
        return;
      }
      if (!file.failed.getAndSet(true)) {
        progress.failed(parts.shown(inode.getIno()), e);
      }
    }
    finishBlock(file);
  }

  private void finishBlock(Loading file) {
    if (file.left.decrementAndGet() == 0 && !file.failed.get()) {
      progress.done(1, 0);
    }
  }

  /** The next block that is not here; {@code null} at the end. */
  private Missing next() {
    taking.lock();
    try {
      while (true) {
        if (current != null && current.next < current.blocks) {
          int index = current.next++;
          if (current.blocks == 1 || !isHere(current.inode, index)) {
            return new Missing(current, index);
          }
          finishBlock(current);
          continue;
        }
        Inode inode = nextFile();
        if (inode == null) {
          return null;
        }
        current = missing(inode) ? new Loading(inode) : null;
      }
    } finally {
      taking.unlock();
    }
  }

  private boolean isHere(Inode inode, int index) {
    return parts
        .store()
        .contains(new BlockId(inode.getIno(), inode.getObject().getStream(), index));
  }

  private boolean missing(Inode inode) {
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

  /** A file of one block needs one look, not a search for all its blocks. */
  private long bytesHere(Inode inode) {
    long size = inode.getObject().getSize();
    return size > BlockId.MAX_BYTES
        ? parts.store().bytesHere(inode.getIno(), inode.getObject().getStream())
        : size > 0 && isHere(inode, 0) ? size : 0;
  }

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
