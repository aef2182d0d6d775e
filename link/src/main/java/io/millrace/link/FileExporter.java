package io.millrace.link;

import com.google.protobuf.ByteString;
import io.millrace.core.api.BlockStore;
import io.millrace.core.api.Bucket;
import io.millrace.core.api.Bucket.Condition;
import io.millrace.core.api.Bucket.ObjectHead;
import io.millrace.core.api.Bucket.ObjectInfo;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.core.path.FileType;
import io.millrace.proto.Change;
import io.millrace.proto.Command;
import io.millrace.proto.ContentClass;
import io.millrace.proto.ImportEntry;
import io.millrace.proto.Inode;
import io.millrace.proto.LinkRecord;
import io.millrace.proto.MarkExported;
import io.millrace.proto.ObjectVersion;
import io.millrace.proto.ResolveChange;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Brings one row of a link's queue into the bucket. Any thread; rows of one inode one at a time
 * (the queue sees to that). Every step may be repeated after a crash: an upload knows its own
 * earlier write by its {@link ExportId}, a copy is made again, a delete finds nothing.
 */
final class FileExporter {

  /** LATER: the file changed meanwhile, and its row is still in the queue. */
  enum Outcome {
    DONE,
    LATER
  }

  private static final int CONDITION_LOST_MAX = 3;
  private static final String BINARY = "application/octet-stream";

  private final LinkParts parts;
  private final UploadBuffers buffers;
  private final ContentVersions versions;
  private final KeyLocks keys = new KeyLocks();

  FileExporter(LinkParts parts, UploadBuffers buffers, ContentVersions versions) {
    this.parts = parts;
    this.buffers = buffers;
    this.versions = versions;
  }

  /**
   * @throws FsException as the bucket or the namespace failed; the row stays in the queue
   */
  Outcome export(LinkRecord link, Change change) {
    return switch (change.getKind()) {
      case CHANGE_CONTENT -> content(link, change);
      case CHANGE_ATTR -> attributes(link, change);
      case CHANGE_DELETED -> deleted(link, change);
      case CHANGE_MOVED_DIR -> moved(link, change);
      case UNRECOGNIZED -> throw new FsException(Errno.EIO, "unknown kind of change");
    };
  }

  private Outcome content(LinkRecord link, Change change) {
    Optional<Inode> found = parts.named(change.getIno());
    if (found.isEmpty()) {
      return resolve(change);
    }
    Inode inode = found.get();
    if (FileType.isDirectory(inode)) {
      return directory(link, change, inode);
    }
    if (!FileType.isRegular(inode) && !FileType.isSymlink(inode)) {
      return resolve(change); // sockets, pipes and devices have no place in a bucket
    }
    return dirty(inode) ? upload(link, change, inode) : rename(link, change, inode);
  }

  private static boolean dirty(Inode inode) {
    return inode.getContentClass() == ContentClass.DIRTY || !inode.hasObject();
  }

  private Outcome upload(LinkRecord link, Change change, Inode inode) {
    String target = parts.namespace().targetKey(inode.getIno());
    String source = inode.hasObject() ? parts.namespace().objectKey(inode.getIno()) : target;
    Optional<FileContent> content =
        FileType.isSymlink(inode) ? Optional.empty() : FileContent.of(parts, inode);
    if (content.isEmpty() && !FileType.isSymlink(inode)) {
      return Outcome.LATER;
    }
    LinkBucket bucket = parts.buckets().of(link.getId());
    Upload upload =
        content.map(c -> new Upload(parts, buffers, versions, bucket, inode, c)).orElse(null);
    String spare = makeWay(link, inode, target);
    return keys.alone(
        link.getId(),
        List.of(source, target),
        () -> upload(link, change, inode, source, target, spare, upload));
  }

  /**
   * S9: an object that waits to follow its renamed file goes first.
   *
   * @return etag of one that nobody needs; empty for none
   * @throws FsException EBUSY its file needs it, and has to be exported first
   */
  private String makeWay(LinkRecord link, Inode inode, String key) {
    Optional<Change> waiting = parts.namespace().waitingRename(link.getId(), key);
    if (waiting.isEmpty() || waiting.get().getIno() == inode.getIno()) {
      return "";
    }
    Optional<Inode> other = parts.named(waiting.get().getIno());
    boolean file = other.isPresent() && !FileType.isDirectory(other.get());
    if (file && dirty(other.get())) {
      if (!FileContent.of(parts, other.get()).map(FileContent::usesObject).orElse(true)) {
        return etag(other.get());
      }
    } else if (file) {
      follow(link, other.get(), waiting.get().getSeq());
      if (parts.namespace().waitingRename(link.getId(), key).isEmpty()) {
        return "";
      }
    }
    throw new FsException(Errno.EBUSY, "the object waits for a rename to be exported", "key", key);
  }

  private Outcome upload(
      LinkRecord link,
      Change change,
      Inode inode,
      String source,
      String target,
      String spare,
      Upload upload) {
    LinkBucket bucket = parts.buckets().of(link.getId());
    boolean known = inode.hasObject() && source.equals(target);
    Optional<ObjectInfo> sent = send(link, inode, target, known, spare, upload);
    if (sent.isEmpty()) {
      return Outcome.LATER;
    }
    if (!source.equals(target)) {
      new BucketWrites(bucket.bucket()).deleteVersion(source, etag(inode));
    }
    long stream = upload == null ? 0 : upload.stream();
    boolean inStep = mark(inode, sent.get(), stream, source, target, change.getSeq());
    settle(inode, upload, inStep);
    if (!inStep && link.getExportDeleted() && parts.named(inode.getIno()).isEmpty()) {
      // deleted while its first version was on the way, so no row of the queue knows of the object
      new BucketWrites(bucket.bucket()).deleteVersion(target, sent.get().etag());
    }
    return inStep ? Outcome.DONE : Outcome.LATER;
  }

  private void settle(Inode inode, Upload upload, boolean inStep) {
    if (upload == null) {
      return;
    }
    var blocks = FileContent.blocks(inode.getIno(), upload.stream(), inode.getSize());
    if (inStep) {
      parts.store().setKind(blocks, BlockStore.Kind.CLEAN);
    }
  }

  /**
   * @param known the object at the key is the one the inode was last in step with
   * @param spare etag of another file's object that may be overwritten; empty for none
   * @return empty: there was a conflict, which is settled now; try again
   */
  private Optional<ObjectInfo> send(
      LinkRecord link, Inode inode, String key, boolean known, String spare, Upload upload) {
    LinkBucket bucket = parts.buckets().of(link.getId());
    var writes = new BucketWrites(bucket.bucket());
    ExportId id = ExportId.of(link, inode);
    boolean look =
        known
            || !spare.isEmpty()
            || !writes.guardsNew()
            || inode.getSize() > parts.config().partBytes();
    for (int attempt = 0; ; attempt++) {
      Optional<ObjectHead> there = look ? bucket.bucket().head(key) : Optional.empty();
      if (there.isPresent()) {
        ObjectHead head = there.get();
        if (id.in(head.metadata())) {
          return Optional.of(head.info()); // our own, its reply was lost (H20)
        }
        boolean expected = known && head.info().etag().equals(etag(inode));
        boolean ours =
            (!spare.isEmpty() && head.info().etag().equals(spare))
                || ExportId.unconfirmed(link, inode, head.metadata())
                || parts.fromDeleted(link, head.metadata());
        if (!expected && !ours) {
          conflict(link, inode, key, head);
          return Optional.empty();
        }
      }
      try {
        return Optional.of(put(inode, key, there, id, writes.over(there), upload));
      } catch (FsException e) {
        if (e.errno() != Errno.EEXIST || attempt == CONDITION_LOST_MAX) {
          throw e;
        }
        look = true;
      }
    }
  }

  private ObjectInfo put(
      Inode inode,
      String key,
      Optional<ObjectHead> there,
      ExportId id,
      Condition condition,
      Upload upload) {
    Map<String, String> metadata =
        ObjectAttributes.over(there.map(ObjectHead::metadata).orElse(Map.of()), inode);
    metadata.put(ExportId.METADATA_KEY, id.text());
    String type = there.map(ObjectHead::contentType).filter(t -> !t.isEmpty()).orElse(BINARY);
    Bucket bucket = parts.buckets().of(inode.getLink()).bucket();
    ObjectInfo info;
    if (upload == null) {
      byte[] target = parts.namespace().readlink(inode.getIno()).toByteArray();
      info = bucket.put(key, MemorySegment.ofArray(target), metadata, type, condition);
    } else {
      info = upload.send(key, metadata, type, condition, () -> current(inode));
    }
    return verified(bucket, key, id, info);
  }

  /** What the store says it has; where its reply told no etag it is asked. */
  private static ObjectInfo verified(Bucket bucket, String key, ExportId id, ObjectInfo info) {
    if (!info.etag().isEmpty()) {
      return info;
    }
    ObjectHead head =
        bucket
            .head(key)
            .orElseThrow(() -> new FsException(Errno.EAGAIN, "upload is not there", "key", key));
    if (head.info().size() != info.size() || !id.in(head.metadata())) {
      throw new FsException(Errno.EAGAIN, "another object is there", "key", key);
    }
    return head.info();
  }

  private boolean current(Inode inode) {
    return parts
        .named(inode.getIno())
        .map(now -> now.getContentSeq() == inode.getContentSeq())
        .orElse(false);
  }

  /** S4, found at export: somebody else wrote the object since. */
  private void conflict(LinkRecord link, Inode inode, String key, ObjectHead theirs) {
    Optional<ByteString> name =
        parts.namespace().path(inode.getIno()).reversed().stream().findFirst();
    if (name.isEmpty()) {
      throw new FsException(Errno.ESTALE, "file is gone", "inode", inode.getIno());
    }
    ImportEntry entry =
        ImportEntry.newBuilder()
            .setName(name.get())
            .setSize(theirs.info().size())
            .setMtimeNs(theirs.info().mtimeNanos())
            .setObject(ImportScan.version(theirs.info()))
            .build();
    LinkBucket bucket = parts.buckets().of(link.getId());
    new ImportConflicts(parts, link, bucket).settle(inode, key, entry);
  }

  /** S9: only the name changed; the store copies, the old key goes. */
  private Outcome rename(LinkRecord link, Change change, Inode inode) {
    boolean moved = follow(link, inode, change.getSeq());
    return moved ? Outcome.DONE : resolve(change);
  }

  /** False: the object is where it belongs. */
  private boolean follow(LinkRecord link, Inode inode, long change) {
    String source = parts.namespace().objectKey(inode.getIno());
    String target = parts.namespace().targetKey(inode.getIno());
    if (source.equals(target)) {
      return false;
    }
    return keys.alone(
        link.getId(), List.of(source, target), () -> follow(link, inode, source, target, change));
  }

  private boolean follow(LinkRecord link, Inode inode, String source, String target, long change) {
    Optional<Inode> now = parts.named(inode.getIno());
    if (now.isEmpty() || dirty(now.get())) {
      return true; // its row says more by now
    }
    boolean elsewhere =
        !parts.namespace().objectKey(inode.getIno()).equals(source)
            || !parts.namespace().targetKey(inode.getIno()).equals(target);
    if (elsewhere) {
      return false;
    }
    Bucket bucket = parts.buckets().of(link.getId()).bucket();
    ObjectInfo copy = copied(link, bucket, now.get(), source, target);
    new BucketWrites(bucket).deleteVersion(source, etag(now.get()));
    mark(now.get(), copy, now.get().getObject().getStream(), source, target, change);
    return true;
  }

  private ObjectInfo copied(
      LinkRecord link, Bucket bucket, Inode inode, String source, String target) {
    Optional<ObjectHead> there = bucket.head(target);
    if (there.isPresent() && ExportId.of(link, inode).in(there.get().metadata())) {
      Optional<ObjectHead> from = bucket.head(source);
      if (from.isEmpty() || !from.get().info().etag().equals(etag(inode))) {
        return there.get().info(); // copied before a crash
      }
    } else if (there.isPresent() && !parts.fromDeleted(link, there.get().metadata())) {
      throw new FsException(Errno.EEXIST, "another object has the new name", "key", target);
    }
    ObjectHead from =
        bucket
            .head(source)
            .orElseThrow(() -> new FsException(Errno.ENOENT, "object is gone", "key", source));
    Map<String, String> metadata = ObjectAttributes.over(from.metadata(), inode);
    metadata.put(ExportId.METADATA_KEY, ExportId.of(link, inode).text());
    return new BucketWrites(bucket).copyVersion(source, etag(inode), target, Optional.of(metadata));
  }

  /** S17: a copy in place with new metadata. */
  private Outcome attributes(LinkRecord link, Change change) {
    Optional<Inode> found = parts.named(change.getIno());
    if (found.isEmpty() || FileType.isDirectory(found.get()) || dirty(found.get())) {
      return resolve(change);
    }
    String key = parts.namespace().objectKey(change.getIno());
    return keys.alone(link.getId(), List.of(key), () -> attributes(link, change, found.get(), key));
  }

  private Outcome attributes(LinkRecord link, Change change, Inode inode, String key) {
    Bucket bucket = parts.buckets().of(link.getId()).bucket();
    Optional<ObjectHead> head = bucket.head(key);
    if (head.isEmpty() || !head.get().info().etag().equals(etag(inode))) {
      return resolve(change); // the next import tells what became of it
    }
    Map<String, String> metadata = ObjectAttributes.over(head.get().metadata(), inode);
    ObjectInfo info = bucket.copy(key, etag(inode), key, Optional.of(metadata));
    mark(inode, info, inode.getObject().getStream(), key, key, change.getSeq());
    return Outcome.DONE;
  }

  /** S8: without the policy the object stays, and the tombstone with it. */
  private Outcome deleted(LinkRecord link, Change change) {
    if (!link.getExportDeleted()) {
      ResolveChange.Builder kept =
          ResolveChange.newBuilder()
              .setLink(change.getLink())
              .setSeq(change.getSeq())
              .setKeepTombstone(true);
      parts.writer().apply(Command.newBuilder().setResolveChange(kept));
      return Outcome.DONE;
    }
    return keys.alone(link.getId(), List.of(change.getKey()), () -> deletedInBucket(link, change));
  }

  private Outcome deletedInBucket(LinkRecord link, Change change) {
    if (!waits(change)) {
      return Outcome.DONE; // another file has the name and the object since
    }
    if (change.hasObject() && !change.getObject().getEtag().isEmpty()) {
      Bucket bucket = parts.buckets().of(link.getId()).bucket();
      new BucketWrites(bucket)
          .deleteVersion(change.getKey(), change.getObject().getEtag().toStringUtf8());
    }
    return parts.ownWrites().told(link.getId(), List.of(change.getKey()), () -> resolve(change));
  }

  private boolean waits(Change change) {
    return parts.namespace().changes(change.getLink(), change.getSeq() - 1, 1).stream()
        .anyMatch(row -> row.getSeq() == change.getSeq());
  }

  /** S10: an empty directory is an object of its own. */
  private Outcome directory(LinkRecord link, Change change, Inode inode) {
    if (inode.getChildren() == 0 && inode.getIno() != link.getRoot()) {
      String key = parts.namespace().targetKey(inode.getIno());
      Bucket bucket = parts.buckets().of(link.getId()).bucket();
      if (bucket.head(key).isEmpty()) {
        Map<String, String> metadata = ObjectAttributes.over(Map.of(), inode);
        var empty = MemorySegment.ofArray(new byte[0]);
        bucket.put(key, empty, metadata, "application/x-directory", Condition.ALWAYS);
      }
    }
    return resolve(change);
  }

  /** S9: each object below the directory follows it, then the row goes. */
  private Outcome moved(LinkRecord link, Change change) {
    Optional<Inode> directory = parts.named(change.getIno());
    if (directory.isEmpty()) {
      return resolve(change);
    }
    var walk = new TreeWalk(parts.namespace(), directory.get());
    try (var workers = new Workers("move", parts.config().exportsInFlight())) {
      workers.start(() -> followAll(link, walk), parts.config().exportsInFlight());
      workers.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new FsException(e, Errno.EINTR, "interrupted while a directory's objects follow it");
    }
    moveMarker(link, change, directory.get());
    return resolve(change);
  }

  private void followAll(LinkRecord link, TreeWalk walk) {
    for (Optional<Inode> next = walk.next(); next.isPresent(); next = walk.next()) {
      Inode inode = next.get();
      boolean own = FileType.isDirectory(inode) || dirty(inode);
      if (!own && parts.namespace().changeOf(inode.getIno()).isEmpty()) {
        follow(link, inode, 0);
      }
      if (Thread.currentThread().isInterrupted()) {
        return;
      }
    }
  }

  private void moveMarker(LinkRecord link, Change change, Inode directory) {
    Bucket bucket = parts.buckets().of(link.getId()).bucket();
    if (!change.getKey().isEmpty() && bucket.head(change.getKey()).isPresent()) {
      String target = parts.namespace().targetKey(directory.getIno());
      if (!target.equals(change.getKey())) {
        bucket.copy(change.getKey(), "", target, Optional.empty());
        bucket.delete(change.getKey(), Condition.ALWAYS);
      }
    }
  }

  /** On stable storage when it returns: only then may blocks be dropped. */
  private boolean mark(
      Inode inode, ObjectInfo info, long stream, String before, String key, long change) {
    ObjectVersion version =
        ImportScan.version(info).toBuilder().setSize(inode.getSize()).setStream(stream).build();
    MarkExported.Builder mark =
        MarkExported.newBuilder()
            .setIno(inode.getIno())
            .setContentSeq(inode.getContentSeq())
            .setObject(version)
            .setKey(key)
            .setChange(change);
    try {
      return parts
          .ownWrites()
          .told(
              inode.getLink(),
              List.of(before, key),
              () -> parts.writer().apply(Command.newBuilder().setMarkExported(mark), true))
          .getExisted();
    } catch (FsException e) {
      if (e.errno() == Errno.ESTALE || e.errno() == Errno.ENOENT) {
        return false; // deleted meanwhile
      }
      throw e;
    }
  }

  private Outcome resolve(Change change) {
    ResolveChange.Builder done =
        ResolveChange.newBuilder().setLink(change.getLink()).setSeq(change.getSeq());
    parts.writer().apply(Command.newBuilder().setResolveChange(done));
    return Outcome.DONE;
  }

  private static String etag(Inode inode) {
    return inode.getObject().getEtag().toString(StandardCharsets.UTF_8);
  }
}
