package io.millrace.link;

import io.millrace.core.api.BlockId;
import io.millrace.core.api.BlockStore;
import io.millrace.core.api.ContentSource.Urgency;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.core.api.Pinned;
import io.millrace.proto.Extent;
import io.millrace.proto.Inode;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * One file's content as it was at one content_seq, read from blocks. Any thread. Blocks are
 * immutable, so it stays readable while the file changes, until the collector takes what was
 * overwritten: then reads fail with ESTALE.
 */
final class FileContent {
  private final LinkParts parts;
  private final Inode inode;
  private final List<Extent> extents;

  private FileContent(LinkParts parts, Inode inode, List<Extent> extents) {
    this.parts = parts;
    this.inode = inode;
    this.extents = extents;
  }

  /** Empty: the file was changed between the two reads; ask again. */
  static Optional<FileContent> of(LinkParts parts, Inode inode) {
    List<Extent> extents =
        inode.getSize() == 0
            ? List.of()
            : parts.namespace().extents(inode.getIno(), 0, inode.getSize());
    long seq = parts.namespace().inode(inode.getIno()).getContentSeq();
    return seq == inode.getContentSeq()
        ? Optional.of(new FileContent(parts, inode, extents))
        : Optional.empty();
  }

  /** The version whose stream is the content; 0: it is pieced together. */
  long version() {
    if (inode.getVersion() != 0) {
      return inode.getVersion();
    }
    boolean one =
        extents.size() == 1
            && extents.getFirst().getFileOffset() == 0
            && extents.getFirst().getStreamOffset() == 0
            && extents.getFirst().getLength() == inode.getSize();
    return one ? extents.getFirst().getVersion() : 0;
  }

  void read(long offset, MemorySegment target) {
    long end = offset + target.byteSize();
    target.fill((byte) 0);
    for (Extent extent : extents) {
      long from = Math.max(offset, extent.getFileOffset());
      long to = Math.min(end, extent.getFileOffset() + extent.getLength());
      while (from < to) {
        long at = extent.getStreamOffset() + (from - extent.getFileOffset());
        int within = (int) (at % BlockId.MAX_BYTES);
        int length = (int) Math.min(to - from, BlockId.MAX_BYTES - within);
        int index = Math.toIntExact(at / BlockId.MAX_BYTES);
        try (Pinned piece = block(extent.getVersion(), index, within, length)) {
          MemorySegment.copy(piece.bytes(), 0, target, from - offset, length);
        }
        from += length;
      }
    }
  }

  /** Bytes of one block, from here or from the bucket. */
  Pinned block(long version, int index, int offset, int length) {
    var id = new BlockId(inode.getIno(), version, index);
    Optional<Pinned> here = parts.store().read(id, offset, length);
    if (here.isPresent()) {
      return here.get();
    }
    if (version == inode.getObject().getStream()) {
      return parts.loader().load(inode, index, offset, length, Urgency.READ_AHEAD);
    }
    throw new FsException(Errno.ESTALE, "block is gone: the file was changed", "block", id);
  }

  /** Whether some of the content is the object's. */
  boolean usesObject() {
    long old = inode.getObject().getStream();
    return old != 0 && extents.stream().anyMatch(extent -> extent.getVersion() == old);
  }

  /**
   * Brings every block that only the object still has, and marks it as the only copy: the object is
   * about to be overwritten, and a file that changes meanwhile still refers to them.
   */
  void keepOldObject() {
    long old = inode.getObject().getStream();
    for (Extent extent : extents) {
      if (extent.getVersion() == old && old != 0) {
        long first = extent.getStreamOffset() / BlockId.MAX_BYTES;
        long last = (extent.getStreamOffset() + extent.getLength() - 1) / BlockId.MAX_BYTES;
        for (long index = first; index <= last; index++) {
          keep(new BlockId(inode.getIno(), old, Math.toIntExact(index)));
        }
      }
    }
  }

  private void keep(BlockId id) {
    for (int attempt = 0; attempt < 3; attempt++) {
      parts.store().setKind(List.of(id), BlockStore.Kind.DIRTY);
      if (parts.store().contains(id)) {
        return;
      }
      parts.loader().load(inode, id.index(), 0, 0, Urgency.READ_AHEAD).close();
    }
    throw new FsException(Errno.ENOSPC, "no room for the content of a changed file", "block", id);
  }

  /** Ids of all blocks of a stream of this file's size. */
  static List<BlockId> blocks(long ino, long version, long size) {
    var ids = new ArrayList<BlockId>();
    for (long at = 0; at < size; at += BlockId.MAX_BYTES) {
      ids.add(new BlockId(ino, version, Math.toIntExact(at / BlockId.MAX_BYTES)));
    }
    return ids;
  }
}
