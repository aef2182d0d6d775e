package io.millrace.meta.row;

import com.google.protobuf.ByteString;
import io.millrace.proto.ContentClass;
import io.millrace.proto.ObjectVersion;

/**
 * An inode's attributes as the last field of a row: flags, then only what differs from the usual. A
 * small imported file takes about 40 bytes. FORMATS.md, "Namespace".
 */
final class Attributes {
  private static final int SIZE = 1;
  private static final int CTIME = 1 << 1; // differs from mtime
  private static final int LINK = 1 << 2;
  private static final int IMPORTED = 1 << 3; // as ImportBatch made it; the etag follows
  private static final int CONTENT = 1 << 4;
  private static final int ATIME = 1 << 5; // differs from mtime
  private static final int DIRTY = 1 << 6;
  private static final int NLINK = 1 << 7; // differs from 1
  private static final int RDEV = 1 << 8;
  private static final int CLEAN = 1 << 9;
  private static final int OBJECT = 1 << 10;
  private static final int ORIGIN = 1 << 11;
  private static final int CHANGE = 1 << 12;
  private static final int XATTRS = 1 << 13;
  private static final int ORPHAN = 1 << 14;
  private static final int QUOTA = 1 << 15;
  private static final int ALL = (1 << 16) - 1;

  /** Content version of every imported object: a changed object is a new inode (H1). */
  static final long IMPORT_VERSION = 1;

  private Attributes() {}

  static void write(RowWriter row, InodeState inode) {
    int flags = flags(inode);
    row.varint(flags).varint(inode.mode).varint(inode.uid).varint(inode.gid).time(inode.mtime);
    if ((flags & SIZE) != 0) {
      row.varint(inode.size);
    }
    if ((flags & CTIME) != 0) {
      row.time(inode.ctime);
    }
    if ((flags & LINK) != 0) {
      row.varint(inode.link);
    }
    if ((flags & IMPORTED) != 0) {
      Etag.write(row, inode.object.getEtag());
    }
    if ((flags & CONTENT) != 0) {
      row.varint(inode.contentSeq).varint(inode.exportedSeq).varint(inode.version);
    }
    writeUnusual(row, inode, flags);
  }

  private static void writeUnusual(RowWriter row, InodeState inode, int flags) {
    if ((flags & ATIME) != 0) {
      row.time(inode.atime);
    }
    if ((flags & NLINK) != 0) {
      row.varint(inode.nlink);
    }
    if ((flags & RDEV) != 0) {
      row.varint(Integer.toUnsignedLong(inode.rdev));
    }
    if ((flags & OBJECT) != 0) {
      writeObject(row, inode.object);
      row.varint(inode.stream);
    }
    if ((flags & ORIGIN) != 0) {
      row.bytes(inode.origin);
    }
    if ((flags & CHANGE) != 0) {
      row.varint(inode.changeSeq);
    }
    if ((flags & QUOTA) != 0) {
      row.varint(inode.quota);
    }
  }

  static void writeObject(RowWriter row, ObjectVersion object) {
    Etag.write(row, object.getEtag());
    row.varint(object.getSize())
        .time(object.getMtimeNs())
        .bytes(object.getVersionIdBytes().toByteArray());
  }

  static ObjectVersion readObject(RowReader row) {
    return ObjectVersion.newBuilder()
        .setEtag(Etag.read(row))
        .setSize(row.varint())
        .setMtimeNs(row.time())
        .setVersionIdBytes(ByteString.copyFrom(row.bytes()))
        .build();
  }

  private static int flags(InodeState inode) {
    boolean imported = imported(inode);
    int flags = imported ? IMPORTED : 0;
    flags |= inode.size != 0 ? SIZE : 0;
    flags |= inode.ctime != inode.mtime ? CTIME : 0;
    flags |= inode.atime != inode.mtime ? ATIME : 0;
    flags |= inode.link != 0 ? LINK : 0;
    flags |= inode.nlink != 1 ? NLINK : 0;
    flags |= inode.rdev != 0 ? RDEV : 0;
    flags |= inode.origin.length != 0 ? ORIGIN : 0;
    flags |= inode.changeSeq != 0 ? CHANGE : 0;
    flags |= inode.hasXattrs ? XATTRS : 0;
    flags |= inode.orphan ? ORPHAN : 0;
    flags |= inode.quota != 0 ? QUOTA : 0;
    if (!imported) {
      boolean usual = inode.contentSeq == 1 && inode.exportedSeq == 0 && inode.version == 0;
      flags |= usual ? 0 : CONTENT;
      flags |= inode.object != null ? OBJECT : 0;
      flags |= inode.contentClass == ContentClass.DIRTY ? DIRTY : 0;
      flags |= inode.contentClass == ContentClass.CLEAN ? CLEAN : 0;
    }
    return flags;
  }

  private static boolean imported(InodeState inode) {
    return inode.contentClass == ContentClass.CLEAN
        && inode.object != null
        && inode.contentSeq == 1
        && inode.exportedSeq == 1
        && inode.stream == IMPORT_VERSION
        && inode.version == (inode.size == 0 ? 0 : IMPORT_VERSION)
        && inode.object.getSize() == inode.size
        && inode.object.getMtimeNs() == inode.mtime
        && inode.object.getVersionIdBytes().isEmpty();
  }

  static void read(RowReader row, InodeState inode) {
    int flags = row.smallVarint();
    if ((flags & ~ALL) != 0) {
      throw new io.millrace.core.api.FsException(
          io.millrace.core.api.Errno.EIO, "attributes of a newer format", "flags", flags);
    }
    inode.mode = row.smallVarint();
    inode.uid = (int) row.varint();
    inode.gid = (int) row.varint();
    inode.mtime = row.time();
    inode.size = (flags & SIZE) != 0 ? row.varint() : 0;
    inode.ctime = (flags & CTIME) != 0 ? row.time() : inode.mtime;
    inode.link = (flags & LINK) != 0 ? row.smallVarint() : 0;
    if ((flags & IMPORTED) != 0) {
      readImported(row, inode);
    }
    if ((flags & CONTENT) != 0) {
      inode.contentSeq = row.varint();
      inode.exportedSeq = row.varint();
      inode.version = row.varint();
    }
    readUnusual(row, inode, flags);
  }

  private static void readImported(RowReader row, InodeState inode) {
    inode.object =
        ObjectVersion.newBuilder()
            .setEtag(Etag.read(row))
            .setSize(inode.size)
            .setMtimeNs(inode.mtime)
            .setStream(IMPORT_VERSION)
            .build();
    inode.stream = IMPORT_VERSION;
    inode.version = inode.size == 0 ? 0 : IMPORT_VERSION;
    inode.exportedSeq = 1;
    inode.contentClass = ContentClass.CLEAN;
  }

  private static void readUnusual(RowReader row, InodeState inode, int flags) {
    inode.atime = (flags & ATIME) != 0 ? row.time() : inode.mtime;
    inode.nlink = (flags & NLINK) != 0 ? row.smallVarint() : 1;
    inode.rdev = (flags & RDEV) != 0 ? (int) row.varint() : 0;
    if ((flags & OBJECT) != 0) {
      inode.object = readObject(row);
      inode.stream = row.varint();
    }
    if ((flags & ORIGIN) != 0) {
      inode.origin = row.bytes();
    }
    inode.changeSeq = (flags & CHANGE) != 0 ? row.varint() : 0;
    inode.hasXattrs = (flags & XATTRS) != 0;
    inode.orphan = (flags & ORPHAN) != 0;
    inode.quota = (flags & QUOTA) != 0 ? row.smallVarint() : 0;
    if ((flags & DIRTY) != 0) {
      inode.contentClass = ContentClass.DIRTY;
    } else if ((flags & CLEAN) != 0) {
      inode.contentClass = ContentClass.CLEAN;
    }
  }
}
