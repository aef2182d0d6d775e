package io.millrace.fuse;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The request a worker is serving, decoded in place, and the answer to it while the file system's
 * method runs. One per worker, reused: nothing of it may be kept after the method returns or after
 * {@link #detach}'s caller has returned. Used only by that worker's thread, inside that method.
 */
public final class FuseRequest extends FuseReply {
  /** A body that may block; see {@link #blocking}. */
  public interface Body {
    void run(DetachedReply reply) throws Exception;
  }

  /** What an interrupt of the calling process does to a body that runs. */
  public enum OnInterrupt {
    /** Nothing, unless the body sets its own action. */
    IGNORE,
    /**
     * The virtual thread is interrupted (which closes a FileChannel it is reading); the body
     * answers.
     */
    INTERRUPT_BODY,
    /** EINTR is answered at once, and the virtual thread is interrupted. */
    ANSWER_EINTR
  }

  private enum State {
    OPEN,
    ANSWERED,
    DETACHED
  }

  private static final int O_APPEND = 02000;
  private static final int WRITE_CACHE = 1;
  private static final int WRITE_KILL_SUIDGID = 4;
  private static final int OPEN_KILL_SUIDGID = 1;
  private static final int RELEASE_FLOCK_UNLOCK = 2;

  private final DeviceDescriptor descriptor;
  private final CallState callState = new CallState();
  private final ReplyWriter writer = new ReplyWriter();
  private final EntryOut entry = new EntryOut();
  private final SetattrIn setattr = new SetattrIn(this);
  private RequestMemory memory;
  private MemorySegment in;
  private int length;
  private int opcode;
  private long unique;
  private int nameAt;
  private State state = State.ANSWERED;
  private DetachedReply detached;

  FuseRequest(ReplyContext context, DeviceDescriptor descriptor, int maxWriteBytes) {
    super(context);
    this.descriptor = descriptor;
    use(new RequestMemory(callState, maxWriteBytes));
  }

  private void use(RequestMemory region) {
    memory = region;
    in = region.segment();
  }

  /** Reads the next request; gives its length or -errno. */
  long read() {
    return Native.read(callState, descriptor.fd(), memory.address(), memory.capacity());
  }

  void begin(int lengthBytes) {
    length = lengthBytes;
    opcode = in.get(Wire.U32, Wire.InHeader.OPCODE);
    unique = in.get(Wire.U64, Wire.InHeader.UNIQUE);
    state = State.OPEN;
    detached = null;
  }

  boolean isOpen() {
    return state == State.OPEN;
  }

  /** The later answer to the request being served, or null. */
  DetachedReply detached() {
    return detached;
  }

  /** For requests that have no answer. */
  void withoutAnswer() {
    state = State.ANSWERED;
  }

  @Override
  public long unique() {
    return unique;
  }

  @Override
  public int opcode() {
    return opcode;
  }

  public long nodeid() {
    return in.get(Wire.U64, Wire.InHeader.NODEID);
  }

  public int uid() {
    return in.get(Wire.U32, Wire.InHeader.UID);
  }

  public int gid() {
    return in.get(Wire.U32, Wire.InHeader.GID);
  }

  public int pid() {
    return in.get(Wire.U32, Wire.InHeader.PID);
  }

  /** A reusable entry, empty, for the answer to this request. */
  public EntryOut entryOut() {
    return entry.clear();
  }

  /** Reusable attributes, empty: those of {@link #entryOut}. */
  public FuseAttributes attributesOut() {
    return entry.clear().attributes();
  }

  // ---- names ----

  void nameAt(int bodyOffset) {
    nameAt = Wire.InHeader.BYTES + bodyOffset;
  }

  private int endOfString(int from) {
    int at = from;
    while (at < length && in.get(ValueLayout.JAVA_BYTE, at) != 0) {
      at++;
    }
    return at;
  }

  /** Length in bytes of the (first) name. */
  public int nameLength() {
    return endOfString(nameAt) - nameAt;
  }

  /**
   * Copies the name to the front of {@code to}, which is long enough for 1,024 bytes; gives its
   * length.
   */
  public int copyName(byte[] to) {
    int bytes = nameLength();
    MemorySegment.copy(in, ValueLayout.JAVA_BYTE, nameAt, to, 0, bytes);
    return bytes;
  }

  /** The name (of an xattr, too), as a new array. */
  public byte[] name() {
    return copy(nameAt, endOfString(nameAt));
  }

  /** The name in place, valid until the method returns. */
  public MemorySegment nameSegment() {
    return in.asSlice(nameAt, nameLength());
  }

  /** rename: the new name. symlink: the target. */
  public byte[] secondName() {
    int from = endOfString(nameAt) + 1;
    return copy(from, endOfString(from));
  }

  /** setxattr: the value. */
  public byte[] xattrValue() {
    int from = endOfString(nameAt) + 1;
    return copy(from, Math.min(length, from + u32(Wire.SetxattrRequest.SIZE)));
  }

  /** setxattr of an ACL: clear the set-gid bit too. */
  public boolean setxattrKillsSetgid() {
    int flags = context.setxattrExtended ? u32(Wire.SetxattrRequest.EXT_FLAGS) : 0;
    return (flags & Wire.SetxattrRequest.ACL_KILL_SGID) != 0;
  }

  private byte[] copy(int from, int to) {
    byte[] bytes = new byte[Math.max(0, to - from)];
    MemorySegment.copy(in, ValueLayout.JAVA_BYTE, from, bytes, 0, bytes.length);
    return bytes;
  }

  // ---- fields of single operations ----

  int u32(int bodyOffset) {
    return in.get(Wire.U32, Wire.InHeader.BYTES + (long) bodyOffset);
  }

  long u64(int bodyOffset) {
    return in.get(Wire.U64, Wire.InHeader.BYTES + (long) bodyOffset);
  }

  int bodyBytes() {
    return length - Wire.InHeader.BYTES;
  }

  SetattrIn setattr() {
    return setattr;
  }

  /** getattr, statx: whether the file handle is one, not just 0. */
  public boolean hasHandle() {
    return (u32(Wire.GetattrRequest.FLAGS) & Wire.GetattrRequest.FLAG_FH) != 0;
  }

  /**
   * open, create: also clear the set-uid and set-gid bits (the file is truncated by one who may not
   * keep them).
   */
  public boolean openKillsSetuid() {
    int at =
        opcode == FuseOpcode.OPEN ? Wire.OpenRequest.OPEN_FLAGS : Wire.CreateRequest.OPEN_FLAGS;
    return (u32(at) & OPEN_KILL_SUIDGID) != 0;
  }

  /** write: also clear the set-uid and set-gid bits. */
  public boolean writeKillsSetuid() {
    return (u32(Wire.WriteRequest.WRITE_FLAGS) & WRITE_KILL_SUIDGID) != 0;
  }

  /**
   * write: pages of the cache go out (mmap, writeback); the handle is any that is open for writing.
   */
  public boolean writeFromCache() {
    return (u32(Wire.WriteRequest.WRITE_FLAGS) & WRITE_CACHE) != 0;
  }

  /** write: through a descriptor with O_APPEND; the offset is where the kernel believes the end. */
  public boolean writeAppends() {
    return (u32(Wire.WriteRequest.FLAGS) & O_APPEND) != 0 && !writeFromCache();
  }

  /** release: flock locks of the handle end. */
  public boolean releaseUnlocks() {
    return (u32(Wire.ReleaseRequest.RELEASE_FLAGS) & RELEASE_FLOCK_UNLOCK) != 0;
  }

  /** flush: whose byte ranges end; release: whose lock of the whole file, if it unlocks. */
  public long lockOwner() {
    int at =
        opcode == FuseOpcode.FLUSH ? Wire.FlushRequest.LOCK_OWNER : Wire.ReleaseRequest.LOCK_OWNER;
    return u64(at);
  }

  /** write: the data in place, native and page-aligned, valid until the method returns. */
  public MemorySegment payload() {
    return in.asSlice(RequestMemory.WRITE_DATA, u32(Wire.WriteRequest.SIZE));
  }

  /**
   * write: takes the data over, without a copy, for use after the method returned. Waits while as
   * many as configured are out. No other field of the request can be read after this; detaching and
   * answering still can be done.
   */
  public PayloadBuffer takePayload() {
    int size = u32(Wire.WriteRequest.SIZE);
    RequestMemory spare = context.payloads.take();
    var payload = new PayloadBuffer(context.payloads, memory, size);
    use(spare);
    return payload;
  }

  /** readdir, readdirplus: a buffer of the size the kernel asked for. */
  public DirectoryBuffer directoryBuffer() {
    return context.directories.take(u32(Wire.ReadRequest.SIZE), opcode == FuseOpcode.READDIRPLUS);
  }

  // ---- later answers ----

  /** Turns to a later answer: from now on only the object returned answers this request. */
  public DetachedReply detach() {
    if (state != State.OPEN) {
      throw new IllegalStateException("already " + state);
    }
    state = State.DETACHED;
    detached = new DetachedReply(this, descriptor);
    context.pending.register(detached);
    return detached;
  }

  /** {@link #blocking(OnInterrupt, Body)} with {@link OnInterrupt#INTERRUPT_BODY}. */
  public void blocking(Body body) {
    blocking(OnInterrupt.INTERRUPT_BODY, body);
  }

  /**
   * Runs {@code body} on a virtual thread with a detached reply. The worker waits while as many as
   * configured run. What the body throws becomes the answer. It may also return without an answer
   * if someone else will give it. It must have copied what it needs of this request.
   */
  public void blocking(OnInterrupt onInterrupt, Body body) {
    context.blocking.acquire();
    DetachedReply reply = detach();
    Thread thread =
        Thread.ofVirtual().name("fuse-blocking-" + unique).unstarted(() -> runBody(reply, body));
    switch (onInterrupt) {
      case IGNORE -> {}
      case INTERRUPT_BODY -> reply.onInterrupt(thread::interrupt);
      case ANSWER_EINTR ->
          reply.onInterrupt(
              () -> {
                reply.error(FuseErrno.EINTR);
                thread.interrupt();
              });
    }
    thread.start();
  }

  private void runBody(DetachedReply reply, Body body) {
    try {
      body.run(reply);
    } catch (Throwable e) {
      if (!reply.isAnswered()) {
        reply.fail(e);
      }
    } finally {
      context.blocking.release();
    }
  }

  // ---- answering now ----

  @Override
  ReplyWriter claim() {
    if (state != State.OPEN) {
      throw new IllegalStateException("request is already " + state);
    }
    state = State.ANSWERED;
    return writer;
  }

  @Override
  int fd() {
    return descriptor.fd();
  }

  @Override
  boolean finish(ReplyWriter used, int result) {
    return FuseWorker.taken(result, opcode);
  }

  void free() {
    memory.free(callState);
    writer.free();
  }
}
