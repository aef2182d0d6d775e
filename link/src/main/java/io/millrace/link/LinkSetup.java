package io.millrace.link;

import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.FieldDescriptor;
import io.millrace.core.api.Bucket;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.core.api.Ino;
import io.millrace.core.path.FileType;
import io.millrace.core.path.TreePath;
import io.millrace.proto.AdminReply;
import io.millrace.proto.Change;
import io.millrace.proto.Command;
import io.millrace.proto.Inode;
import io.millrace.proto.LinkRecord;
import io.millrace.proto.LinkSet;
import io.millrace.proto.LinkStatus;
import io.millrace.proto.Mkdir;
import io.millrace.proto.NoticeKind;
import io.millrace.proto.PutLink;
import java.util.Optional;
import java.util.Set;

/** Makes links, shows them and changes their settings. One change at a time. */
final class LinkSetup {
  private static final int QUIET_MS = 1000;
  private static final int ROWS_LOOKED_AT = 1000;

  /** Settings that may change while the link exists; others decide where its objects are. */
  private static final Set<String> SETTABLE =
      Set.of(
          "endpoint",
          "region",
          "credentials",
          "export_new",
          "export_changed",
          "export_deleted",
          "auto_import_seconds",
          "evict_after_seconds",
          "on_conflict",
          "file_mode",
          "dir_mode",
          "uid",
          "gid",
          "quiet_ms");

  private final LinkParts parts;
  private final LinkEngine engine;

  LinkSetup(LinkParts parts, LinkEngine engine) {
    this.parts = parts;
    this.engine = engine;
  }

  synchronized AdminReply add(LinkRecord asked) {
    ByteString path = TreePath.normal(asked.getPath());
    checkApart(path);
    checkPlace(path);
    LinkRecord.Builder link = defaults(asked.toBuilder().setPath(path));
    int found = probe(link);
    long root = directory(path);
    link.setRoot(root).setId(0).setCreatedNs(parts.writer().nowNanos());
    int id =
        parts
            .writer()
            .apply(Command.newBuilder().setPutLink(PutLink.newBuilder().setLink(link)), true)
            .getLinkId();
    engine.restart(id);
    String note =
        found == 0
            ? "0 objects found below this prefix: files written here will be its first"
            : "objects found; `millrace import` brings their names";
    return AdminReply.newBuilder().addLinks(status(parts.link(id))).setNote(note).build();
  }

  private static LinkRecord.Builder defaults(LinkRecord.Builder link) {
    String prefix = link.getPrefix();
    while (prefix.startsWith("/")) {
      prefix = prefix.substring(1);
    }
    if (!prefix.isEmpty() && !prefix.endsWith("/")) {
      prefix = prefix + "/";
    }
    link.setPrefix(prefix);
    link.setFileMode(link.getFileMode() == 0 ? 0644 : link.getFileMode());
    link.setDirMode(link.getDirMode() == 0 ? 0755 : link.getDirMode());
    return link.setQuietMs(link.getQuietMs() == 0 ? QUIET_MS : link.getQuietMs());
  }

  private void checkApart(ByteString path) {
    if (TreePath.names(path).isEmpty()) {
      throw new FsException(Errno.EINVAL, "the root can't be linked; name a directory below it");
    }
    for (LinkRecord other : parts.namespace().links()) {
      ByteString root = TreePath.of(parts.namespace(), other.getRoot());
      if (TreePath.within(path, root) || TreePath.within(root, path)) {
        throw new FsException(
            Errno.EEXIST,
            "links can't lie within one another; choose a directory outside the other link",
            "path",
            path.toStringUtf8(),
            "other",
            root.toStringUtf8());
      }
    }
  }

  private void checkPlace(ByteString path) {
    Optional<Inode> there = parts.namespace().resolve(path);
    if (there.isPresent() && !FileType.isDirectory(there.get())) {
      throw new FsException(
          Errno.ENOTDIR, "a link needs a directory; this is a file", "path", path.toStringUtf8());
    }
    if (there.isPresent() && there.get().getChildren() > 0) {
      throw new FsException(
          Errno.ENOTEMPTY,
          "a link needs an empty directory; choose a new name, it will be made",
          "path",
          path.toStringUtf8());
    }
  }

  /**
   * @return whether any object was seen: 0 or 1
   */
  private int probe(LinkRecord.Builder link) {
    LinkBucket opened = parts.buckets().unshared(link.build());
    try (Bucket bucket = opened.bucket()) {
      bucket.check();
      int found = bucket.list(link.getPrefix(), "", "", "", 1).objects().size();
      Bucket.Abilities can = bucket.abilities();
      link.setConditionalPut(can.putIfAbsent() && can.putIfMatch()).setProbed(true);
      return found;
    } catch (FsException e) {
      throw new FsException(e, e.errno(), wayOut(e.errno()), "cause", e.getMessage());
    }
  }

  private static String wayOut(Errno errno) {
    return switch (errno) {
      case ENOENT -> "no such bucket: check its name, and --endpoint and --region";
      case EACCES -> "the store refuses the credentials: check --profile or --credentials";
      case ETIMEDOUT, ECONNREFUSED -> "the store does not answer: check --endpoint";
      case EAGAIN -> "the store is overloaded or failing: try again later";
      default -> "the bucket can't be used";
    };
  }

  private long directory(ByteString path) {
    long dir = Ino.ROOT;
    for (ByteString name : TreePath.names(path)) {
      Optional<Inode> there = parts.namespace().lookup(dir, name);
      dir = there.isPresent() ? there.get().getIno() : made(dir, name);
    }
    return dir;
  }

  private long made(long parent, ByteString name) {
    Mkdir.Builder mkdir = Mkdir.newBuilder().setDir(parent).setName(name).setMode(0755);
    long ino = parts.writer().apply(Command.newBuilder().setMkdir(mkdir)).getInode().getIno();
    parts.tell(NoticeKind.ENTRY_CHANGED, parent, name, 0);
    return ino;
  }

  AdminReply list() {
    AdminReply.Builder reply = AdminReply.newBuilder();
    parts.namespace().links().forEach(link -> reply.addLinks(status(link)));
    return reply.build();
  }

  AdminReply show(ByteString path) {
    return AdminReply.newBuilder().addLinks(status(at(path))).build();
  }

  synchronized AdminReply set(LinkSet request) {
    LinkRecord before = at(request.getPath());
    LinkRecord.Builder link = before.toBuilder();
    for (String name : request.getFieldsList()) {
      FieldDescriptor field = LinkRecord.getDescriptor().findFieldByName(name);
      if (field == null || !SETTABLE.contains(name)) {
        throw new FsException(
            Errno.EINVAL,
            "this setting can't change; remove the link and add it anew",
            "setting",
            name);
      }
      link.setField(field, request.getSet().getField(field));
    }
    boolean otherBucket =
        !link.getEndpoint().equals(before.getEndpoint())
            || !link.getRegion().equals(before.getRegion())
            || !link.getCredentials().equals(before.getCredentials());
    if (otherBucket) {
      probe(link);
    }
    parts.writer().apply(Command.newBuilder().setPutLink(PutLink.newBuilder().setLink(link)), true);
    engine.restart(link.getId());
    return AdminReply.newBuilder().addLinks(status(parts.link(link.getId()))).build();
  }

  /**
   * The link whose root this is.
   *
   * @throws FsException ENOENT none
   */
  LinkRecord at(ByteString asked) {
    ByteString path = TreePath.normal(asked);
    return parts.namespace().links().stream()
        .filter(link -> TreePath.of(parts.namespace(), link.getRoot()).equals(path))
        .findFirst()
        .orElseThrow(
            () ->
                new FsException(
                    Errno.ENOENT,
                    "no link has its root here; `millrace link ls` shows all",
                    "path",
                    path.toStringUtf8()));
  }

  LinkStatus status(LinkRecord link) {
    return LinkStatus.newBuilder()
        .setLink(link.toBuilder().setPath(TreePath.of(parts.namespace(), link.getRoot())))
        .setPendingChanges(parts.namespace().pendingChanges(link.getId()))
        .setOldestChangeNs(oldest(link))
        .setLastError(parts.buckets().lastError(link.getId()))
        .build();
  }

  /** Of the first rows of the queue: they are in order of their last change. */
  private long oldest(LinkRecord link) {
    return parts.namespace().changes(link.getId(), 0, ROWS_LOOKED_AT).stream()
        .mapToLong(Change::getFirstNs)
        .min()
        .orElse(0);
  }
}
