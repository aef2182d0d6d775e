package io.millrace.node;

import io.millrace.core.api.CoherenceNotifier;
import io.millrace.core.api.Namespace;
import io.millrace.core.path.FileType;
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
  private static final int ENTRIES = 256;
  private static final long LOOK_MILLIS = 60_000;

  private final Namespace namespace;
  private final Stamps stamps;
  private final CoherenceNotifier notices;
  private final InstantSource time;
  private final Rounds rounds = new Rounds("node-trash", LOOK_MILLIS, this::purgeOld);

  TrashKeeper(Namespace namespace, Stamps stamps, CoherenceNotifier notices, InstantSource time) {
    this.namespace = namespace;
    this.stamps = stamps;
    this.notices = notices;
    this.time = time;
  }

  void start() {
    rounds.start();
  }

  private long nowNs() {
    return TimeUnit.MILLISECONDS.toNanos(time.millis());
  }

  /** Does not wait for the next look. */
  void wake() {
    rounds.wake();
  }

  private long purgeOld() {
    for (TrashRecord trash : namespace.trashes()) {
      purge(trash.getRoot(), nowNs() - TimeUnit.SECONDS.toNanos(trash.getKeepSeconds()));
    }
    return LOOK_MILLIS;
  }

  /** All that a bin holds, from the hour that runs too. */
  long empty(TrashRecord trash) {
    return purge(trash.getRoot(), nowNs() + TimeUnit.HOURS.toNanos(1));
  }

  private long purge(long root, long beforeNs) {
    long removed = 0;
    boolean more = true;
    while (more && !rounds.stopped()) {
      var op = PurgeTrash.newBuilder().setRoot(root).setBeforeNs(beforeNs).setEntriesMax(ENTRIES);
      CommandResult result =
          Answers.checked(
              namespace.apply(stamps.own(Command.newBuilder().setPurgeTrash(op)), false));
      tell(result.getPurgedList());
      removed +=
          result.getPurgedList().stream().filter(inode -> !FileType.isDirectory(inode)).count();
      more = result.getExisted();
    }
    return removed;
  }

  private void tell(List<Inode> purged) {
    var items = new ArrayList<NoticeItem>();
    for (Inode inode : purged) {
      NoticeItem.Builder item =
          NoticeItem.newBuilder().setDir(inode.getParent()).setName(inode.getName());
      items.add(
          FileType.isDirectory(inode)
              ? item.setKind(NoticeKind.ENTRY_CHANGED).build()
              : item.setKind(NoticeKind.ENTRY_DELETED).setIno(inode.getIno()).build());
    }
    if (!items.isEmpty()) {
      notices.changed(items);
    }
  }

  @Override
  public void close() {
    rounds.close();
  }
}
