package io.millrace.meta.row;

import com.google.protobuf.ByteString;
import io.millrace.proto.ContentClass;
import io.millrace.proto.Inode;
import io.millrace.proto.ObjectVersion;

/**
 * One inode while a command works on it or a reader looks at it, with the name it was found by.
 * Mutable, owned by one thread, written back with {@code TreeWriter.save}.
 *
 * <p>Invariant: {@code version != 0} only where one extent (0, size, version, 0) covers the file,
 * and then it has no extent rows.
 */
public final class InodeState {
  public static final byte[] NONE = new byte[0];

  public long ino;
  public int mode;
  public int uid;
  public int gid;
  public int nlink = 1;
  public long size;
  public long mtime;
  public long ctime;
  public long atime;
  public int rdev;
  public long contentSeq = 1;
  public long exportedSeq;
  public long version;
  public ContentClass contentClass = ContentClass.OWN;
  public int link;

  /** The object it was last in step with, its stream aside; null for none. */
  public ObjectVersion object;

  /** The content version whose blocks hold the object's bytes. */
  public long stream;

  public byte[] origin = NONE;

  /** Its row in the link's queue of changes; 0 for none. */
  public long changeSeq;

  public boolean hasXattrs;

  /** The quota it counts in; of a directory, that its entries count in. 0 for none. */
  public int quota;

  /** Without a name, kept for who has it open. */
  public boolean orphan;

  /** Its attributes are in the inode row: directories, files with several names, orphans. */
  public boolean standalone;

  public long parent;
  public byte[] name = NONE;
  public long cookie;

  // directories
  public long children;
  public long subdirs;
  public long nextCookie = 1;

  public boolean isDirectory() {
    return (mode & Mode.TYPE) == Mode.DIRECTORY;
  }

  public boolean isRegular() {
    return (mode & Mode.TYPE) == Mode.REGULAR;
  }

  public boolean isSymlink() {
    return (mode & Mode.TYPE) == Mode.SYMLINK;
  }

  /** Whether an object of the bucket can hold it. */
  public boolean isExportable() {
    return link != 0 && (isRegular() || isSymlink() || isDirectory());
  }

  public void setObject(ObjectVersion version) {
    object = version;
    stream = version.getStream();
  }

  /** Its link is gone: an ordinary file. */
  public void forgetLink() {
    link = 0;
    contentClass = ContentClass.OWN;
    object = null;
    stream = 0;
    origin = NONE;
    changeSeq = 0;
    exportedSeq = 0;
  }

  public Inode toProto() {
    Inode.Builder inode =
        Inode.newBuilder()
            .setIno(ino)
            .setMode(mode)
            .setUid(uid)
            .setGid(gid)
            .setNlink(isDirectory() ? (int) Math.min(subdirs + 2, Integer.MAX_VALUE) : nlink)
            .setSize(size)
            .setMtimeNs(mtime)
            .setCtimeNs(ctime)
            .setAtimeNs(atime)
            .setRdev(rdev)
            .setContentSeq(contentSeq)
            .setExportedSeq(exportedSeq)
            .setVersion(version)
            .setContentClass(contentClass)
            .setLink(link)
            .setParent(parent)
            .setName(ByteString.copyFrom(name))
            .setCookie(cookie)
            .setSubdirs(subdirs)
            .setChildren(children)
            .setXattrs(hasXattrs)
            .setQuota(quota);
    if (object != null) {
      inode.setObject(
          object.getStream() == stream ? object : object.toBuilder().setStream(stream).build());
    }
    if (origin.length > 0) {
      inode.setOrigin(ByteString.copyFrom(origin));
    }
    return inode.build();
  }
}
