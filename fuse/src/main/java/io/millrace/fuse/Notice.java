package io.millrace.fuse;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * One message to the kernel that waits to be sent. Notices with the same key are sent in order.
 *
 * @param kind of {@link Wire.Notice}
 * @param key the parent of a name, or the inode
 * @param data name, or content to store; null where there is none
 */
record Notice(
    int kind,
    long key,
    long child,
    long offset,
    long range,
    int flags,
    MemorySegment data,
    FuseNotifier.Done done) {

  /** Puts the body into {@code out} at {@code at}; gives its length. */
  int put(MemorySegment out, int at) {
    return switch (kind) {
      case Wire.Notice.INVAL_ENTRY -> putEntry(out, at);
      case Wire.Notice.INVAL_INODE -> putInode(out, at);
      case Wire.Notice.DELETE -> putDelete(out, at);
      case Wire.Notice.STORE -> putStore(out, at);
      default -> 0;
    };
  }

  private int putEntry(MemorySegment out, int at) {
    out.set(Wire.U64, at + Wire.InvalEntry.PARENT, key);
    out.set(Wire.U32, at + Wire.InvalEntry.NAMELEN, length());
    out.set(Wire.U32, at + Wire.InvalEntry.FLAGS, flags);
    return Wire.InvalEntry.NAME + putName(out, at + Wire.InvalEntry.NAME);
  }

  private int putInode(MemorySegment out, int at) {
    out.set(Wire.U64, at + Wire.InvalInode.NODEID, key);
    out.set(Wire.U64, at + Wire.InvalInode.OFFSET, offset);
    out.set(Wire.U64, at + Wire.InvalInode.LENGTH, range);
    return Wire.InvalInode.BYTES;
  }

  private int putDelete(MemorySegment out, int at) {
    out.set(Wire.U64, at + Wire.DeleteNotice.PARENT, key);
    out.set(Wire.U64, at + Wire.DeleteNotice.CHILD, child);
    out.set(Wire.U32, at + Wire.DeleteNotice.NAMELEN, length());
    out.set(Wire.U32, at + Wire.DeleteNotice.NAMELEN + 4, 0);
    return Wire.DeleteNotice.NAME + putName(out, at + Wire.DeleteNotice.NAME);
  }

  private int putStore(MemorySegment out, int at) {
    out.set(Wire.U64, at + Wire.StoreNotice.NODEID, key);
    out.set(Wire.U64, at + Wire.StoreNotice.OFFSET, offset);
    out.set(Wire.U32, at + Wire.StoreNotice.SIZE, length());
    out.set(Wire.U32, at + Wire.StoreNotice.SIZE + 4, 0);
    int to = at + Wire.StoreNotice.DATA;
    MemorySegment.copy(data, 0, out, to, length());
    return Wire.StoreNotice.DATA + length();
  }

  private int length() {
    return (int) data.byteSize();
  }

  private int putName(MemorySegment out, int at) {
    MemorySegment.copy(data, 0, out, at, length());
    out.set(ValueLayout.JAVA_BYTE, at + length(), (byte) 0);
    return length() + 1;
  }
}
