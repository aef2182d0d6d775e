package io.millrace.link;

import io.millrace.core.path.FileType;
import io.millrace.proto.ContentClass;
import io.millrace.proto.Inode;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Releases content that the bucket has too (S20). What stays is reported with its reason. One
 * thread. Between the check and the drop somebody may still delete the object: that gap can't be
 * closed, and is as small as one batch.
 */
final class EvictJob implements Job {
  private static final int BATCH = 500;

  private final LinkParts parts;
  private final long olderThanSeconds;
  private final boolean dryRun;
  private final List<Inode> tops;
  private final TaskProgress progress;
  private final List<Inode> batch = new ArrayList<>();

  /**
   * @param olderThanSeconds 0: whatever its age; then leases are called back. Else a held lease
   *     counts as use (H12)
   */
  EvictJob(
      LinkParts parts,
      long olderThanSeconds,
      boolean dryRun,
      List<Inode> tops,
      TaskProgress progress) {
    this.parts = parts;
    this.olderThanSeconds = olderThanSeconds;
    this.dryRun = dryRun;
    this.tops = tops;
    this.progress = progress;
  }

  @Override
  public void run() throws InterruptedException {
    for (Inode top : tops) {
      var walk = new TreeWalk(parts.namespace(), top);
      for (Optional<Inode> next = walk.next(); next.isPresent(); next = walk.next()) {
        consider(next.get());
        if (Thread.interrupted()) {
          throw new InterruptedException();
        }
      }
    }
    release();
  }

  private void consider(Inode file) {
    if (!FileType.isRegular(file)) {
      return;
    }
    if (file.getContentClass() != ContentClass.CLEAN) {
      keep(file, "NOT_EXPORTED", "the bucket does not have this content yet");
      return;
    }
    long stream = file.getObject().getStream();
    if (stream == 0 || parts.store().bytesHere(file.getIno(), stream) == 0) {
      progress.skipped(1);
      return;
    }
    if (olderThanSeconds > 0 && usedLately(file, stream)) {
      progress.skipped(1);
      return;
    }
    boolean otherPlace =
        !batch.isEmpty()
            && (batch.getFirst().getParent() != file.getParent()
                || batch.getFirst().getLink() != file.getLink());
    if (otherPlace || batch.size() == BATCH) {
      release();
    }
    batch.add(file);
  }

  private boolean usedLately(Inode file, long stream) {
    long now = parts.writer().nowNanos() / 1_000_000_000L;
    long used = parts.store().lastUsedSeconds(file.getIno(), stream);
    return now - used < olderThanSeconds || parts.notifier().leased(file.getIno());
  }

  private void release() {
    if (batch.isEmpty()) {
      return;
    }
    LinkBucket bucket = parts.buckets().of(batch.getFirst().getLink());
    Set<Long> inUse = new HashSet<>();
    if (olderThanSeconds == 0 && !dryRun) {
      inUse.addAll(parts.notifier().recall(batch.stream().map(Inode::getIno).toList()));
    }
    Map<Long, ObjectCheck.Verdict> verdicts = new ObjectCheck(parts, bucket).of(batch);
    for (Inode file : batch) {
      if (inUse.contains(file.getIno())) {
        keep(file, "IN_USE", "open on a client");
      } else {
        drop(file, verdicts.get(file.getIno()));
      }
    }
    batch.clear();
  }

  private void drop(Inode file, ObjectCheck.Verdict verdict) {
    switch (verdict) {
      case GONE -> keep(file, "OBJECT_GONE", "the only copy is here: the object was deleted");
      case CHANGED -> keep(file, "OBJECT_CHANGED", "the bucket has another version; import first");
      case SAME -> {
        long stream = file.getObject().getStream();
        long bytes = parts.store().bytesHere(file.getIno(), stream);
        if (!dryRun && !unchanged(file)) {
          keep(file, "NOT_EXPORTED", "changed a moment ago");
          return;
        }
        if (!dryRun) {
          parts.store().drop(parts.store().blocksOf(file.getIno(), stream));
        }
        progress.done(1, bytes);
      }
    }
  }

  private boolean unchanged(Inode file) {
    Inode now = parts.namespace().inode(file.getIno());
    return now.getContentClass() == ContentClass.CLEAN
        && now.getObject().getStream() == file.getObject().getStream();
  }

  private void keep(Inode file, String code, String detail) {
    progress.skipped(1);
    progress.noted(parts.shown(file.getIno()), code, detail);
  }
}
