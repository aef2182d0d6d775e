package io.millrace.node;

import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.core.api.Namespace;
import io.millrace.proto.Extent;
import io.millrace.proto.Inode;

/**
 * Where data and holes begin: data is what an extent covers. Looks at a file window by window, so
 * that a file of very many extents needs little memory. Keeps no state.
 */
final class Holes {
  private static final long WINDOW_BYTES = 64L << 20;

  private final Namespace namespace;

  Holes(Namespace namespace) {
    this.namespace = namespace;
  }

  /**
   * The next offset from this one on that is in data, or in a hole; the end of the file is a hole.
   *
   * @throws FsException ENXIO there is none, or the offset is not in the file
   */
  long seek(long ino, long offset, boolean hole) {
    Inode inode = namespace.inode(ino);
    if (offset < 0 || offset >= inode.getSize()) {
      throw nothing(ino, offset);
    }
    if (inode.getVersion() != 0) {
      return hole ? inode.getSize() : offset;
    }
    return hole ? nextHole(inode, offset) : nextData(inode, offset);
  }

  private long nextHole(Inode inode, long offset) {
    long at = offset;
    while (at < inode.getSize()) {
      long window = windowEnd(inode, at);
      for (Extent extent : namespace.extents(inode.getIno(), at, window - at)) {
        if (extent.getFileOffset() > at) {
          return at;
        }
        at = Math.max(at, extent.getFileOffset() + extent.getLength());
      }
      if (at < window) {
        return at;
      }
    }
    return inode.getSize();
  }

  private long nextData(Inode inode, long offset) {
    for (long at = offset, step = WINDOW_BYTES; at < inode.getSize(); step *= 2) {
      long window = Math.min(inode.getSize(), at + step < 0 ? Long.MAX_VALUE : at + step);
      var extents = namespace.extents(inode.getIno(), at, window - at);
      if (!extents.isEmpty()) {
        return Math.max(offset, extents.getFirst().getFileOffset());
      }
      at = window;
    }
    throw nothing(inode.getIno(), offset);
  }

  private static long windowEnd(Inode inode, long at) {
    return inode.getSize() - at > WINDOW_BYTES ? at + WINDOW_BYTES : inode.getSize();
  }

  private static FsException nothing(long ino, long offset) {
    return new FsException(Errno.ENXIO, "no data there", "inode", ino, "offset", offset);
  }
}
