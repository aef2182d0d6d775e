package io.millrace.fuse;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.ref.Reference;
import java.util.Objects;

/**
 * Answers one request. {@link FuseRequest} is the answer given before the method returns, {@link
 * DetachedReply} the one given later from any thread; code that answers can take either.
 *
 * <p>Each request is answered once. Every method gives true when the kernel took the answer. False
 * means that nobody will see it: the request was interrupted and is gone, a detached reply had been
 * answered before, or the mount has ended; an opened handle must then be released by the file
 * system itself (no RELEASE will come). Lookups that an entry counted are undone by this class.
 * Arguments are read before the method returns and may be reused after.
 */
public abstract sealed class FuseReply permits FuseRequest, DetachedReply {
  static final int ERRNO_LIMIT = 512;

  final ReplyContext context;

  FuseReply(ReplyContext context) {
    this.context = context;
  }

  /** The kernel's number of the request. */
  public abstract long unique();

  public abstract int opcode();

  /** The top bit of a unique number: the kernel sends the request again (H17). */
  private static final long RESENT = 1L << 63;

  /** Whether a former process of this mount has read the request, and may have carried it out. */
  public final boolean isResent() {
    return (unique() & RESENT) != 0;
  }

  /** Names the request for the life of the mount, however often it is sent; never 0. */
  public final long key() {
    return unique() & ~RESENT;
  }

  /** The right to answer, and memory to do it in; null when it is too late. */
  abstract ReplyWriter claim();

  /** The number to write to; valid between claim and {@link #finish}. */
  abstract int fd();

  /** Ends the answer that {@link #claim} began; gives true when {@code result} is 0. */
  abstract boolean finish(ReplyWriter writer, int result);

  /** Fails the request. */
  public final boolean error(int errno) {
    checkErrno(errno);
    ReplyWriter w = claim();
    return w != null && finish(w, w.sendError(fd(), unique(), errno));
  }

  /** Success without a body: unlink, rename, release, flush, fsync, setxattr, access, ... */
  public final boolean ok() {
    return body(0);
  }

  /** lookup, symlink, mknod, mkdir, link. Counts one lookup. */
  public final boolean entry(EntryOut entry) {
    Objects.requireNonNull(entry);
    ReplyWriter w = claim();
    if (w == null) {
      return false;
    }
    entry.write(w.out, ReplyWriter.BODY);
    return sendEntry(w, entry.nodeid(), Wire.EntryReply.BYTES);
  }

  /** lookup of a name that doesn't exist, which the kernel may believe for so long. */
  public final boolean noEntry(long ttlNanos) {
    ReplyWriter w = claim();
    if (w == null) {
      return false;
    }
    EntryOut.writeAbsent(w.out, ReplyWriter.BODY, ttlNanos);
    return finish(w, w.sendBody(fd(), unique(), Wire.EntryReply.BYTES));
  }

  /** create, tmpfile: an entry and a handle. {@code flags} from {@link OpenReplyFlags}. */
  public final boolean created(EntryOut entry, long fh, int flags) {
    Objects.requireNonNull(entry);
    ReplyWriter w = claim();
    if (w == null) {
      return false;
    }
    entry.write(w.out, ReplyWriter.BODY);
    putOpen(w.out, ReplyWriter.BODY + Wire.EntryReply.BYTES, fh, flags);
    return sendEntry(w, entry.nodeid(), Wire.EntryReply.BYTES + Wire.OpenReply.BYTES);
  }

  private boolean sendEntry(ReplyWriter w, long nodeid, int bodyBytes) {
    if (nodeid != 0) {
      context.lookups.increment(nodeid);
    }
    boolean taken = finish(w, w.sendBody(fd(), unique(), bodyBytes));
    if (!taken && nodeid != 0) {
      context.forget(nodeid, 1);
    }
    return taken;
  }

  /** getattr, setattr. */
  public final boolean attr(FuseAttributes attributes, long ttlNanos) {
    Objects.requireNonNull(attributes);
    ReplyWriter w = claim();
    if (w == null) {
      return false;
    }
    int at = ReplyWriter.BODY;
    w.out.set(Wire.U64, at + Wire.AttrReply.VALID, ttlNanos / 1_000_000_000L);
    w.out.set(Wire.U32, at + Wire.AttrReply.VALID_NSEC, (int) (ttlNanos % 1_000_000_000L));
    w.out.set(Wire.U32, at + Wire.AttrReply.DUMMY, 0);
    attributes.write(w.out, at + Wire.AttrReply.ATTR);
    return finish(w, w.sendBody(fd(), unique(), Wire.AttrReply.BYTES));
  }

  /** statx, with the time of birth. */
  public final boolean statx(FuseAttributes attributes, long btimeNanos, long ttlNanos) {
    Objects.requireNonNull(attributes);
    ReplyWriter w = claim();
    if (w == null) {
      return false;
    }
    int at = ReplyWriter.BODY;
    w.out.asSlice(at, Wire.StatxReply.BYTES).fill((byte) 0);
    w.out.set(Wire.U64, at + Wire.StatxReply.VALID, ttlNanos / 1_000_000_000L);
    w.out.set(Wire.U32, at + Wire.StatxReply.VALID_NSEC, (int) (ttlNanos % 1_000_000_000L));
    attributes.writeStatx(w.out, at, btimeNanos);
    return finish(w, w.sendBody(fd(), unique(), Wire.StatxReply.BYTES));
  }

  /** open, opendir. {@code flags} from {@link OpenReplyFlags}. */
  public final boolean opened(long fh, int flags) {
    ReplyWriter w = claim();
    if (w == null) {
      return false;
    }
    putOpen(w.out, ReplyWriter.BODY, fh, flags);
    return finish(w, w.sendBody(fd(), unique(), Wire.OpenReply.BYTES));
  }

  private static void putOpen(MemorySegment out, int at, long fh, int flags) {
    out.set(Wire.U64, at + Wire.OpenReply.FH, fh);
    out.set(Wire.U32, at + Wire.OpenReply.OPEN_FLAGS, flags);
    out.set(Wire.U32, at + Wire.OpenReply.BACKING_ID, 0);
  }

  /**
   * read, readlink, getxattr, listxattr: the whole native segment, without a copy. Fewer bytes than
   * asked = end.
   */
  public final boolean data(MemorySegment segment) {
    return data(segment, 0, segment.byteSize());
  }

  /** A range of a native segment, without a copy; the caller keeps it alive until this returns. */
  public final boolean data(MemorySegment segment, long offset, long length) {
    Objects.checkFromIndexSize(offset, length, segment.byteSize());
    checkNative(segment);
    ReplyWriter w = claim();
    if (w == null) {
      return false;
    }
    try {
      w.part(0, segment.address() + offset, length);
      return finish(w, w.sendParts(fd(), unique(), 0, 0, 1, length));
    } finally {
      Reference.reachabilityFence(segment);
    }
  }

  /** The first {@code count} of native segments, one after another, without a copy; at most 256. */
  public final boolean data(MemorySegment[] segments, int count) {
    if (count > ReplyWriter.SEGMENTS_MAX) {
      throw new IllegalArgumentException("more than 256 segments: " + count);
    }
    for (int i = 0; i < count; i++) {
      checkNative(segments[i]);
    }
    ReplyWriter w = claim();
    if (w == null) {
      return false;
    }
    try {
      long bytes = 0;
      for (int i = 0; i < count; i++) {
        w.part(i, segments[i].address(), segments[i].byteSize());
        bytes += segments[i].byteSize();
      }
      return finish(w, w.sendParts(fd(), unique(), 0, 0, count, bytes));
    } finally {
      Reference.reachabilityFence(segments);
    }
  }

  /** As the others, from the heap: one copy. */
  public final boolean data(byte[] bytes) {
    return data(bytes, 0, bytes.length);
  }

  public final boolean data(byte[] bytes, int offset, int length) {
    Objects.checkFromIndexSize(offset, length, bytes.length);
    if (length > ReplyWriter.BODY_BYTES) {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment copy = arena.allocate(length);
        MemorySegment.copy(bytes, offset, copy, ValueLayout.JAVA_BYTE, 0, length);
        return data(copy);
      }
    }
    ReplyWriter w = claim();
    if (w == null) {
      return false;
    }
    MemorySegment.copy(bytes, offset, w.out, ValueLayout.JAVA_BYTE, ReplyWriter.BODY, length);
    return finish(w, w.sendBody(fd(), unique(), length));
  }

  /** write, copy_file_range: how many bytes were taken. */
  public final boolean written(long bytes) {
    ReplyWriter w = claim();
    if (w == null) {
      return false;
    }
    if (opcode() == FuseOpcode.COPY_FILE_RANGE_64) {
      w.out.set(Wire.U64, ReplyWriter.BODY, bytes);
    } else {
      w.out.set(Wire.U64, ReplyWriter.BODY, 0);
      w.out.set(Wire.U32, ReplyWriter.BODY + Wire.WriteReply.SIZE, (int) bytes);
    }
    return finish(w, w.sendBody(fd(), unique(), Wire.WriteReply.BYTES));
  }

  public final boolean statfs(FuseStatfs statfs) {
    Objects.requireNonNull(statfs);
    ReplyWriter w = claim();
    if (w == null) {
      return false;
    }
    w.out.asSlice(ReplyWriter.BODY, Wire.StatfsReply.BYTES).fill((byte) 0);
    statfs.write(w.out, ReplyWriter.BODY);
    return finish(w, w.sendBody(fd(), unique(), Wire.StatfsReply.BYTES));
  }

  /** getxattr, listxattr with an asked size of 0: how large a buffer would have to be. */
  public final boolean xattrSize(int bytes) {
    ReplyWriter w = claim();
    if (w == null) {
      return false;
    }
    w.out.set(Wire.U64, ReplyWriter.BODY, 0);
    w.out.set(Wire.U32, ReplyWriter.BODY + Wire.GetxattrReply.SIZE, bytes);
    return finish(w, w.sendBody(fd(), unique(), Wire.GetxattrReply.BYTES));
  }

  /** getxattr, listxattr: size, value or ERANGE, as {@code askedSize} demands. */
  public final boolean xattr(byte[] value, int askedSize) {
    if (askedSize == 0) {
      return xattrSize(value.length);
    }
    return value.length > askedSize ? error(34) : data(value);
  }

  public final boolean seeked(long offset) {
    ReplyWriter w = claim();
    if (w == null) {
      return false;
    }
    w.out.set(Wire.U64, ReplyWriter.BODY, offset);
    return finish(w, w.sendBody(fd(), unique(), Long.BYTES));
  }

  /** getlk: the lock that is in the way; of type UNLOCK: none is. */
  public final boolean lock(FileLock lock) {
    Objects.requireNonNull(lock);
    ReplyWriter w = claim();
    if (w == null) {
      return false;
    }
    int at = ReplyWriter.BODY;
    w.out.set(Wire.U64, at + Wire.LockReply.START, lock.start());
    w.out.set(Wire.U64, at + Wire.LockReply.END, lock.end());
    w.out.set(Wire.U32, at + Wire.LockReply.TYPE, lock.type());
    w.out.set(Wire.U32, at + Wire.LockReply.PID, lock.pid());
    return finish(w, w.sendBody(fd(), unique(), Wire.LockReply.BYTES));
  }

  /**
   * readdir, readdirplus; empty means the end. Counts a lookup of each entry with attributes.
   * Closes the buffer.
   */
  public final boolean directory(DirectoryBuffer entries) {
    Objects.requireNonNull(entries);
    ReplyWriter w = claim();
    if (w == null) {
      entries.close();
      return false;
    }
    countLookups(entries);
    w.part(0, entries.address(), entries.usedBytes());
    boolean taken = finish(w, w.sendParts(fd(), unique(), 0, 0, 1, entries.usedBytes()));
    if (!taken) {
      undoLookups(entries);
    }
    entries.close();
    return taken;
  }

  private void countLookups(DirectoryBuffer entries) {
    for (int at = entries.firstEntry(); at >= 0; at = entries.nextEntry(at)) {
      long nodeid = entries.nodeidAt(at);
      if (nodeid != 0) {
        context.lookups.increment(nodeid);
      }
    }
  }

  private void undoLookups(DirectoryBuffer entries) {
    for (int at = entries.firstEntry(); at >= 0; at = entries.nextEntry(at)) {
      long nodeid = entries.nodeidAt(at);
      if (nodeid != 0) {
        context.forget(nodeid, 1);
      }
    }
  }

  private boolean body(int bytes) {
    ReplyWriter w = claim();
    return w != null && finish(w, w.sendBody(fd(), unique(), bytes));
  }

  private static void checkErrno(int errno) {
    if (errno <= 0 || errno >= ERRNO_LIMIT) {
      throw new IllegalArgumentException("not an errno: " + errno);
    }
  }

  private static void checkNative(MemorySegment segment) {
    if (!segment.isNative() || !segment.scope().isAlive()) {
      throw new IllegalArgumentException("segment is on the heap, or its arena is closed");
    }
  }
}
