package io.millrace.link;

import com.google.protobuf.ByteString;
import io.millrace.core.api.Bucket.ObjectHead;
import io.millrace.core.api.Bucket.ObjectInfo;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.proto.Command;
import io.millrace.proto.ContentClass;
import io.millrace.proto.ImportBatch;
import io.millrace.proto.ImportConflict;
import io.millrace.proto.ImportDirectory;
import io.millrace.proto.ImportEntry;
import io.millrace.proto.ImportResult;
import io.millrace.proto.Inode;
import io.millrace.proto.LinkRecord;
import io.millrace.proto.NoticeKind;
import io.millrace.proto.ObjectVersion;
import java.util.Optional;

/**
 * Saves a version of the bucket's beside the file that is about to overwrite it (H18): a copy in
 * the bucket, then its entry. Any step may be repeated after a crash; what has the name already,
 * changed or deleted here since, is never overwritten. One thread.
 */
final class KeptVersion {
  private static final int NAMES_TRIED = 100;

  private final LinkParts parts;
  private final LinkRecord link;
  private final LinkBucket bucket;
  private final long dir;
  private final String key;
  private final ImportEntry theirs;

  /**
   * @param dir where the local copy lies
   * @param theirs the version, under the name of the local copy
   */
  KeptVersion(
      LinkParts parts,
      LinkRecord link,
      LinkBucket bucket,
      long dir,
      String key,
      ImportEntry theirs) {
    this.parts = parts;
    this.link = link;
    this.bucket = bucket;
    this.dir = dir;
    this.key = key;
    this.theirs = theirs;
  }

  /**
   * @return the name that has it now
   * @throws FsException ESTALE the object is another one by now; EEXIST no name is free
   */
  String save() {
    String prefix = key.substring(0, key.lastIndexOf('/') + 1);
    String own = theirs.getName().toStringUtf8();
    String etag = theirs.getObject().getEtag().toStringUtf8();
    for (int n = 1; n <= NAMES_TRIED; n++) {
      String name = KeyRules.conflictName(own, etag, n);
      if (savedAs(name, prefix + name)) {
        return name;
      }
    }
    throw new FsException(Errno.EEXIST, "no name is left for the bucket's version", "key", key);
  }

  private boolean savedAs(String name, String kept) {
    Optional<Inode> entry = parts.namespace().lookup(dir, ByteString.copyFromUtf8(name));
    if (parts.namespace().tombstone(link.getId(), kept)
        || (entry.isPresent() && !holds(entry.get(), kept))) {
      return false;
    }
    Optional<ObjectHead> object = bucket.backOff().retrying(() -> bucket.bucket().head(kept));
    if (object.isPresent()) {
      boolean same = same(object.get().info());
      return same && (entry.isPresent() || shown(name, object.get().info()));
    }
    if (entry.isPresent()) {
      return false; // its object was deleted in the bucket
    }
    ObjectInfo copy = copied(kept);
    if (shown(name, copy)) {
      return true;
    }
    new BucketWrites(bucket.bucket()).deleteVersion(kept, copy.etag());
    return false;
  }

  /** Whether it is an entry of this version, in step with its object. */
  private boolean holds(Inode entry, String kept) {
    ObjectVersion version = theirs.getObject();
    return entry.getContentClass() == ContentClass.CLEAN
        && entry.hasObject()
        && !version.getEtag().isEmpty()
        && entry.getObject().getEtag().equals(version.getEtag())
        && entry.getSize() == version.getSize()
        && parts.namespace().changeOf(entry.getIno()).isEmpty()
        && parts.namespace().targetKey(entry.getIno()).equals(kept);
  }

  private boolean same(ObjectInfo object) {
    return !object.etag().isEmpty() && ImportScan.same(theirs.getObject(), object);
  }

  /** As the store has it: for a copy, some tell no etag. */
  private ObjectInfo copied(String kept) {
    String etag = theirs.getObject().getEtag().toStringUtf8();
    var writes = new BucketWrites(bucket.bucket());
    ObjectInfo copy =
        bucket.backOff().retrying(() -> writes.copyVersion(key, etag, kept, Optional.empty()));
    if (!copy.etag().isEmpty()) {
      return copy;
    }
    return bucket
        .backOff()
        .retrying(() -> bucket.bucket().head(kept))
        .orElseThrow(() -> new FsException(Errno.ESTALE, "the copy is gone", "key", kept))
        .info();
  }

  /** False: something else has the name, or it was deleted here. */
  private boolean shown(String name, ObjectInfo copy) {
    ObjectVersion version = theirs.getObject();
    ByteString shown = ByteString.copyFromUtf8(name);
    ImportEntry beside =
        theirs.toBuilder()
            .setName(shown)
            .setObject(ImportScan.version(copy).toBuilder().setSize(version.getSize()))
            .setSize(version.getSize())
            .build();
    ImportResult result = put(parts, link, dir, beside);
    // Without room for the entry it is in the bucket all the same, and a later import shows it.
    boolean placed =
        result.getConflictsList().stream().map(ImportConflict::getCode).allMatch("QUOTA"::equals);
    if (placed) {
      parts.tell(NoticeKind.ENTRY_CHANGED, dir, shown, 0);
    }
    return placed;
  }

  static ImportResult put(LinkParts parts, LinkRecord link, long dir, ImportEntry entry) {
    ImportDirectory.Builder part = ImportDirectory.newBuilder().setIno(dir).addEntries(entry);
    ImportBatch.Builder batch = ImportBatch.newBuilder().setLink(link.getId()).addDirectories(part);
    return parts.writer().apply(Command.newBuilder().setImportBatch(batch)).getImport();
  }
}
