package io.millrace.link;

import io.millrace.core.api.BlockStore;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.core.path.FileType;
import io.millrace.core.path.TreePath;
import io.millrace.proto.AdminReply;
import io.millrace.proto.Change;
import io.millrace.proto.ChangeKind;
import io.millrace.proto.Command;
import io.millrace.proto.Inode;
import io.millrace.proto.LinkRecord;
import io.millrace.proto.LinkRemove;
import io.millrace.proto.PutLink;
import io.millrace.proto.RemoveLink;
import java.util.Optional;

/**
 * Ends a link (S27). First nothing of it may reach the bucket any more, then its entries go or
 * become ordinary files, last the record: so a crash between leaves a link that does nothing, and
 * the removal can be asked for again.
 */
final class LinkRemoval {
  private final LinkParts parts;
  private final TaskRunner tasks;
  private final LinkEngine engine;
  private final EntryRemoval entries;

  LinkRemoval(LinkParts parts, TaskRunner tasks, LinkEngine engine) {
    this.parts = parts;
    this.tasks = tasks;
    this.engine = engine;
    this.entries = new EntryRemoval(parts);
  }

  AdminReply remove(LinkRecord link, LinkRemove request) {
    if (!request.getForce() && unexported(link)) {
      throw new FsException(
          Errno.EBUSY,
          "the link has changes that the bucket does not have yet: `millrace export` them, or"
              + " --force to lose them",
          "path",
          TreePath.of(parts.namespace(), link.getRoot()).toStringUtf8(),
          "changes",
          parts.namespace().pendingChanges(link.getId()));
    }
    silence(link);
    long lost = clear(link, request.getKeepData());
    RemoveLink.Builder remove =
        RemoveLink.newBuilder().setId(link.getId()).setKeepData(request.getKeepData());
    parts.writer().apply(Command.newBuilder().setRemoveLink(remove), true);
    engine.restart(link.getId());
    String note =
        request.getKeepData() && lost > 0
            ? lost + " files were not cached and are gone here; the bucket has them"
            : "the bucket is as it was";
    return AdminReply.newBuilder().setNote(note).build();
  }

  private boolean unexported(LinkRecord link) {
    boolean[] found = {false};
    engine
        .queue(link.getId())
        .forEach(
            (Change change) -> {
              boolean unwanted =
                  change.getKind() == ChangeKind.CHANGE_DELETED && !link.getExportDeleted();
              found[0] = !unwanted;
              return unwanted;
            });
    return found[0];
  }

  private void silence(LinkRecord link) {
    tasks.cancelOf(link.getId());
    LinkRecord.Builder silent =
        link.toBuilder()
            .setExportNew(false)
            .setExportChanged(false)
            .setExportDeleted(false)
            .setAutoImportSeconds(0)
            .setEvictAfterSeconds(0);
    parts
        .writer()
        .apply(Command.newBuilder().setPutLink(PutLink.newBuilder().setLink(silent)), true);
    engine.deactivate(link.getId());
  }

  /**
   * @return files that could not be kept
   */
  private long clear(LinkRecord link, boolean keepData) {
    long lost = 0;
    Inode root = parts.namespace().inode(link.getRoot());
    var walk = new TreeWalk(parts.namespace(), root);
    for (Optional<Inode> next = walk.next(); next.isPresent(); next = walk.next()) {
      Inode entry = next.get();
      if (FileType.isDirectory(entry)) {
        if (!keepData && entry.getIno() != root.getIno()) {
          entries.emptyDirectory(entry);
        }
      } else if ((!keepData || !kept(entry)) && entries.file(entry)) {
        lost++;
      }
    }
    return lost;
  }

  /** Whether all content is here; it is then the only copy the store knows of. */
  private boolean kept(Inode file) {
    if (!FileType.isRegular(file) || file.getSize() == 0) {
      return true;
    }
    long stream = file.getObject().getStream();
    if (stream == 0 || stream != file.getVersion()) {
      return pinnedPieces(file, stream);
    }
    parts
        .store()
        .setKind(FileContent.blocks(file.getIno(), stream, file.getSize()), BlockStore.Kind.DIRTY);
    return parts.store().bytesHere(file.getIno(), stream) >= file.getSize();
  }

  /** A file of several versions: only what came from the bucket may be missing. */
  private boolean pinnedPieces(Inode file, long stream) {
    if (stream == 0) {
      return true;
    }
    var blocks = FileContent.blocks(file.getIno(), stream, file.getObject().getSize());
    parts.store().setKind(blocks, BlockStore.Kind.DIRTY);
    return blocks.stream().allMatch(parts.store()::contains)
        || parts.namespace().extents(file.getIno(), 0, file.getSize()).stream()
            .noneMatch(extent -> extent.getVersion() == stream);
  }
}
