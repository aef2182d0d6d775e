package io.millrace.link;

import com.google.protobuf.ByteString;
import io.millrace.core.api.BlockStore;
import io.millrace.core.api.CoherenceNotifier;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.core.api.Namespace;
import io.millrace.core.path.TreePath;
import io.millrace.proto.Inode;
import io.millrace.proto.LinkRecord;
import io.millrace.proto.NoticeItem;
import io.millrace.proto.NoticeKind;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/** What all work on links shares. Owned and closed by {@link LinkEngine}. */
record LinkParts(
    Namespace namespace,
    NamespaceWriter writer,
    BlockStore store,
    LinkBuckets buckets,
    ObjectLoader loader,
    CoherenceNotifier notifier,
    OwnWrites ownWrites,
    LinkConfig config) {

  LinkRecord link(int id) {
    return namespace
        .link(id)
        .orElseThrow(() -> new FsException(Errno.EINVAL, "no such link", "link", id));
  }

  String shown(long ino) {
    return TreePath.shown(namespace, ino);
  }

  /**
   * Clients hear of one entry that came or went.
   *
   * @param ino what had the name; 0: not told
   */
  void tell(NoticeKind kind, long dir, ByteString name, long ino) {
    notifier.changed(
        List.of(
            NoticeItem.newBuilder().setKind(kind).setDir(dir).setName(name).setIno(ino).build()));
  }

  /** The inode as it is now; empty where no name leads to it any more. */
  Optional<Inode> named(long ino) {
    try {
      Inode inode = namespace().inode(ino);
      return inode.getNlink() == 0 ? Optional.empty() : Optional.of(inode);
    } catch (FsException e) {
      if (e.errno() == Errno.ESTALE || e.errno() == Errno.ENOENT) {
        return Optional.empty();
      }
      throw e;
    }
  }

  /**
   * Whether the link wrote an object from a file that is deleted since: it had the name before, and
   * was replaced while its upload was on the way. Nobody else wrote after it: no conflict (S5).
   */
  boolean fromDeleted(LinkRecord link, Map<String, String> metadata) {
    OptionalLong writer = ExportId.writer(link, metadata);
    return writer.isPresent() && named(writer.getAsLong()).isEmpty();
  }
}
