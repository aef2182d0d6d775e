package io.millrace.link;

import io.millrace.core.api.Bucket;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.proto.Command;
import io.millrace.proto.ImportEntry;
import io.millrace.proto.Inode;
import io.millrace.proto.LinkRecord;
import io.millrace.proto.MarkExported;
import io.millrace.proto.ObjectVersion;
import java.util.Map;
import java.util.Optional;

/**
 * What becomes of an object that changed in the bucket while the local copy changed too (S4). Owned
 * by one thread. Whatever the policy, neither version is lost unless the user chose so.
 */
final class ImportConflicts {
  private final LinkParts parts;
  private final LinkRecord link;
  private final LinkBucket bucket;

  ImportConflicts(LinkParts parts, LinkRecord link, LinkBucket bucket) {
    this.parts = parts;
    this.link = link;
    this.bucket = bucket;
  }

  /**
   * As an import finds it.
   *
   * @param dir where the local copy lies
   * @param theirs the entry as the listing has it
   */
  void imported(long dir, String key, ImportEntry theirs, TaskProgress progress) {
    Optional<Inode> ours = parts.namespace().lookup(dir, theirs.getName());
    if (ours.isEmpty()) {
      return;
    }
    String path = parts.shown(ours.get().getIno());
    try {
      Optional<Bucket.ObjectHead> head = bucket.backOff().retrying(() -> bucket.bucket().head(key));
      if (head.isEmpty()
          || ImportScan.same(ours.get(), head.get().info())
          || isOwn(ours.get(), head.get().metadata())) {
        progress.skipped(1); // gone again, or the listing was older than our export
        return;
      }
      String kept = settle(ours.get(), key, asIs(theirs, head.get().info()));
      progress.done(1, 0);
      if (!kept.isEmpty()) {
        progress.noted(path, "CONFLICT", "changed here and in the bucket; the bucket's is " + kept);
      }
    } catch (FsException e) {
      progress.failed(
          path, e.errno() == Errno.EEXIST ? "CONFLICT" : e.errno().name(), e.getMessage());
    }
  }

  /** The listing may be older than the object. */
  private static ImportEntry asIs(ImportEntry listed, Bucket.ObjectInfo object) {
    if (ImportScan.same(listed.getObject(), object)) {
      return listed;
    }
    return listed.toBuilder()
        .setSize(object.size())
        .setMtimeNs(object.mtimeNanos())
        .setObject(ImportScan.version(object))
        .build();
  }

  /** An upload whose reply was lost (H20), or of a file that was replaced by this one meanwhile. */
  private boolean isOwn(Inode ours, Map<String, String> metadata) {
    return ExportId.unconfirmed(link, ours, metadata) || parts.fromDeleted(link, metadata);
  }

  /**
   * Does what the link's policy says. After that the next export may replace the object.
   *
   * @return the name beside it that now has the bucket's version; empty for none
   * @throws FsException EEXIST the policy is to do nothing
   */
  String settle(Inode ours, String key, ImportEntry theirs) {
    return switch (link.getOnConflict()) {
      case KEEP_BOTH -> keepBoth(ours, key, theirs);
      case BUCKET_WINS -> {
        if (!new EntryRemoval(parts).file(ours)) {
          throw new FsException(Errno.ESTALE, "the file was changed again", "key", key);
        }
        KeptVersion.put(parts, link, ours.getParent(), theirs);
        yield "";
      }
      case LOCAL_WINS -> {
        overwritable(ours, key, theirs.getObject());
        yield "";
      }
      case FAIL, UNRECOGNIZED ->
          throw new FsException(
              Errno.EEXIST,
              "changed here and in the bucket; `millrace link set --on-conflict` says what to do",
              "key",
              key);
    };
  }

  /** H18: the bucket's version is saved first, then the export may overwrite its key. */
  private String keepBoth(Inode ours, String key, ImportEntry theirs) {
    String name = new KeptVersion(parts, link, bucket, ours.getParent(), key, theirs).save();
    overwritable(ours, key, theirs.getObject());
    return name;
  }

  /** The next export replaces this version of the object, knowing it. */
  private void overwritable(Inode ours, String key, ObjectVersion version) {
    MarkExported.Builder known =
        MarkExported.newBuilder()
            .setIno(ours.getIno())
            .setKnownOnly(true)
            .setKey(key)
            .setObject(version.toBuilder().setStream(0));
    parts.writer().apply(Command.newBuilder().setMarkExported(known));
  }
}
