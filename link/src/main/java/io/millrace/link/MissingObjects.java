package io.millrace.link;

import io.millrace.core.api.Bucket;
import io.millrace.core.path.FileType;
import io.millrace.proto.ContentClass;
import io.millrace.proto.Inode;
import java.util.Optional;

/**
 * Entries that a listing did not have (S6). Each is looked up in the bucket once more before it
 * goes, because it may have been exported after the listing passed, or lie under another key. Owned
 * by the import's thread.
 */
final class MissingObjects {
  private final LinkParts parts;
  private final LinkBucket bucket;
  private final EntryRemoval removal;
  private long removed;

  MissingObjects(LinkParts parts, LinkBucket bucket) {
    this.parts = parts;
    this.bucket = bucket;
    this.removal = new EntryRemoval(parts);
  }

  /** Entries removed so far. */
  long removed() {
    return removed;
  }

  void remove(Inode entry) {
    if (!FileType.isDirectory(entry)) {
      file(entry);
      return;
    }
    var walk = new TreeWalk(parts.namespace(), entry);
    long before = removed;
    for (Optional<Inode> below = walk.next(); below.isPresent(); below = walk.next()) {
      if (!FileType.isDirectory(below.get())) {
        file(below.get());
      } else if (removed > before) {
        removal.emptyDirectory(below.get());
      }
    }
  }

  private void file(Inode entry) {
    boolean inStep = entry.getContentClass() == ContentClass.CLEAN && entry.hasObject();
    if (!inStep || parts.namespace().changeOf(entry.getIno()).isPresent()) {
      return; // S7: what the bucket does not have yet stays
    }
    String key = parts.namespace().objectKey(entry.getIno());
    Optional<Bucket.ObjectHead> head = bucket.backOff().retrying(() -> bucket.bucket().head(key));
    if (head.isEmpty() && removal.file(entry)) {
      removed++;
    }
  }
}
