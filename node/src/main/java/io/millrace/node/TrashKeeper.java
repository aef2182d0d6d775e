package io.millrace.node;

import io.millrace.core.api.CoherenceNotifier;
import io.millrace.core.api.FsException;
import io.millrace.core.api.Namespace;
import io.millrace.proto.Command;
import io.millrace.proto.CommandResult;
import io.millrace.proto.Inode;
import io.millrace.proto.NoticeItem;
import io.millrace.proto.NoticeKind;
import io.millrace.proto.PurgeTrash;
import io.millrace.proto.TrashRecord;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Removes for good what the trash has kept long enough, in steps of some entries. A file that is
 * still open lives until it is closed (H10). One thread of its own.
 */
final class TrashKeeper implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger(TrashKeeper.class.getName());
  private static final int ENTRIES = 256;
  private static final long LOOK_MILLIS = 60_000;
  private static final long STOP_MILLIS = 5000;

  private final Namespace namespace;
  private final Stamps stamps;
  private final CoherenceNotifier notices;
  private final InstantSource time;
  private final Thread thread;
  private volatile boolean stopped;

  TrashKeeper(Namespace namespace, Stamps stamps, CoherenceNotifier notices, InstantSource time) {
    this.namespace = namespace;
    this.stamps = stamps;
    this.notices = notices;
    this.time = time;
    this.thread = Thread.ofPlatform().daemon().name("node-trash").unstarted(this::run);
  }

  void start() {
    thread.start();
  }

  private long nowNs() {
    return TimeUnit.MILLISECONDS.toNanos(time.millis());
  }

  private void run() {
    while (!stopped) {
      try {
        for (TrashRecord trash : namespace.trashes()) {
          purge(trash.getRoot(), nowNs() - TimeUnit.SECONDS.toNanos(trash.getKeepSeconds()));
        }
        Thread.sleep(LOOK_MILLIS);
      } catch (InterruptedException e) {
        return;
      } catch (FsException e) {
        if (!stopped) {
          LOG.log(System.Logger.Level.WARNING, "trash not removed this time", e);
        }
      }
    }
  }

  /** All that a bin holds, from the hour that runs too. */
  long empty(TrashRecord trash) {
    return purge(trash.getRoot(), nowNs() + TimeUnit.HOURS.toNanos(1));
  }

  private long purge(long root, long beforeNs) {
    long removed = 0;
    boolean more = true;
    while (more && !stopped) {
      var op = PurgeTrash.newBuilder().setRoot(root).setBeforeNs(beforeNs).setEntriesMax(ENTRIES);
      CommandResult result =
          Answers.checked(
              namespace.apply(stamps.own(Command.newBuilder().setPurgeTrash(op)), false));
      tell(result.getPurgedList());
      removed += result.getPurgedList().stream().filter(inode -> !isDirectory(inode)).count();
      more = result.getExisted();
    }
    return removed;
  }

  private static boolean isDirectory(Inode inode) {
    return (inode.getMode() & 0170000) == 0040000;
  }

  private void tell(List<Inode> purged) {
    var items = new ArrayList<NoticeItem>();
    for (Inode inode : purged) {
      NoticeItem.Builder item =
          NoticeItem.newBuilder().setDir(inode.getParent()).setName(inode.getName());
      items.add(
          isDirectory(inode)
              ? item.setKind(NoticeKind.ENTRY_CHANGED).build()
              : item.setKind(NoticeKind.ENTRY_DELETED).setIno(inode.getIno()).build());
    }
    if (!items.isEmpty()) {
      notices.changed(items);
    }
  }

  @Override
  public void close() {
    stopped = true;
    thread.interrupt();
    try {
      thread.join(STOP_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
