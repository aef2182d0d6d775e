package io.millrace.client;

import io.millrace.core.api.FsException;
import io.millrace.proto.Command;
import io.millrace.proto.CommandResult;
import io.millrace.proto.CommitContent;
import io.millrace.proto.Inode;
import io.millrace.proto.WriteRequest;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.locks.ReentrantLock;

/**
 * What this client wrote into one inode and the namespace does not show yet. Bytes pass through
 * four stages: <em>live</em> chunks take writes; <em>sealed</em> ones are on their way to the node;
 * <em>stored</em> ones are only extents, not yet committed; a commit publishes all that was sealed
 * before it. Full chunks are sealed at once, so that a long write streams.
 *
 * <p>Any thread, nothing here blocks. Invariant: one commit at a time; it names only blocks that
 * the node has acknowledged, or carries with it. An error of the background is kept until a commit
 * reports it; then what was not committed is gone, as with a page cache that failed to write.
 */
public final class DirtyFile {
  /** More uncommitted extents than this start a commit of their own. */
  private static final int EXTENTS_MAX = 1024;

  /**
   * Gets the inode as it is after the commit (null: there was nothing to commit), or the failure.
   */
  public interface Committed {
    void done(Inode inode, FsException failure);
  }

  private final long ino;
  private final WriteBack writeBack;
  private final ReentrantLock lock = new ReentrantLock();

  private final TreeMap<Long, WriteChunk> live = new TreeMap<>();

  /** Sealed chunks whose bytes are still in memory, oldest first. */
  private final ArrayDeque<WriteChunk> sealed = new ArrayDeque<>();

  private ExtentMap pending = new ExtentMap();
  private long version;
  private int nextIndex;
  private long serial;
  private long mtimeNanos;
  private long firstDirtyNanos;
  private boolean killSuid;
  private FsException error;

  private final UnsentNote note;

  /** Length without what is dirty; -1 while not known. */
  private long baseBytes = -1;

  /** Where this client took the end to be at the first append that is not committed; -1: none. */
  private long appendFrom = -1;

  /** Appends under way: no commit may come between the parts of one write. */
  private int appenders;

  private Commit running;
  private final List<Committed> waiting = new ArrayList<>();
  private boolean waitingSync;

  DirtyFile(long ino, WriteBack writeBack) {
    this.ino = ino;
    this.writeBack = writeBack;
    this.note = new UnsentNote(ino, writeBack.unsent());
  }

  public long ino() {
    return ino;
  }

  /**
   * Takes as much as there is memory for.
   *
   * @return bytes taken from the front; fewer than given: make room and come again
   * @throws FsException an earlier write in the background failed; a commit clears it
   */
  public int write(long offset, MemorySegment data, int from, boolean killsSuid) {
    int done = from;
    int length = (int) data.byteSize();
    boolean tooMany;
    lock.lock();
    try {
      if (error != null) {
        throw error;
      }
      while (done < length) {
        int n = writeChunk(offset + done, data, done, length - done);
        if (n == 0) {
          break;
        }
        done += n;
      }
      if (done > from) {
        touch();
        note.written();
        killSuid |= killsSuid;
      }
      tooMany = pending.size() > EXTENTS_MAX && running == null;
    } finally {
      lock.unlock();
    }
    if (tooMany) {
      commitInBackground();
    }
    return done - from;
  }

  /** Whether an append can be placed without asking the node how long the file is. */
  public boolean knowsEnd() {
    lock.lock();
    try {
      return baseBytes >= 0 || appendFrom >= 0;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Starts one append; {@link #endAppend} must follow. After {@link #knowsEnd}, else it starts
   * where the caller believes the end to be.
   *
   * @return where its bytes go, as this client sees the file until the commit
   */
  public long beginAppend(long believedEnd) {
    lock.lock();
    try {
      appenders++;
      if (appendFrom >= 0) {
        return Math.max(appendFrom, dirtyEnd()); // not the base, which may have moved: no gap
      }
      appendFrom = Math.max(baseBytes >= 0 ? baseBytes : believedEnd, dirtyEnd());
      return appendFrom;
    } finally {
      lock.unlock();
    }
  }

  public void endAppend() {
    Commit next = null;
    lock.lock();
    try {
      appenders--;
      if (mayBegin() && !waiting.isEmpty()) {
        next = begin();
      }
    } finally {
      lock.unlock();
    }
    if (next != null) {
      next.start();
    }
  }

  private boolean mayBegin() {
    return running == null && appenders == 0;
  }

  private void touch() {
    mtimeNanos = writeBack.nowNanos();
    if (firstDirtyNanos == 0) {
      firstDirtyNanos = mtimeNanos;
    }
  }

  /** After those who wait have heard what became of their bytes. */
  private void endNote() {
    lock.lock();
    try {
      if (isCleanLocked() && error == null) {
        note.end();
      }
    } finally {
      lock.unlock();
    }
  }

  /** The running commit has a number. */
  private void carriedBy(long sequence) {
    lock.lock();
    try {
      if (live.isEmpty() && pending.isEmpty()) {
        note.carriedBy(sequence);
      }
    } finally {
      lock.unlock();
    }
  }

  private int writeChunk(long offset, MemorySegment data, int at, int left) {
    long start = offset - offset % WriteChunk.BYTES;
    int length = (int) Math.min(left, start + WriteChunk.BYTES - offset);
    WriteChunk chunk = live.computeIfAbsent(start, WriteChunk::new);
    WriteChunk.Taken taken = chunk.write(offset, data, at, length, writeBack.buffers());
    if (taken == WriteChunk.Taken.SCATTERED) {
      sendAhead(chunk);
      chunk = new WriteChunk(start);
      live.put(start, chunk);
      taken = chunk.write(offset, data, at, length, writeBack.buffers());
    }
    if (taken == WriteChunk.Taken.NO_ROOM) {
      if (chunk.isEmpty()) {
        live.remove(start);
      }
      return 0;
    }
    if (chunk.isFull()) {
      sendAhead(chunk);
    }
    return length;
  }

  /** Sends all live chunks without committing them: somebody needs the memory. */
  void sendAhead() {
    lock.lock();
    try {
      new ArrayList<>(live.values()).forEach(this::sendAhead);
    } finally {
      lock.unlock();
    }
  }

  private void sendAhead(WriteChunk chunk) {
    seal(chunk);
    writeBack.inBackground(() -> store(chunk));
  }

  /** Not under the lock: the channel may make its caller wait for answers that need the lock. */
  private void store(WriteChunk chunk) {
    try {
      writeBack.store(request(chunk).build(), chunk.bytes(), failure -> sent(chunk, failure));
    } catch (FsException e) {
      sent(chunk, e);
    }
  }

  private WriteRequest.Builder request(WriteChunk chunk) {
    return WriteRequest.newBuilder()
        .setIno(ino)
        .setVersion(chunk.version)
        .addBlocks(Checksums.block(chunk.index, chunk.bytes()));
  }

  /** Fixes the chunk's bytes and their place in the stream; the caller sends them. */
  private void seal(WriteChunk chunk) {
    live.remove(chunk.start);
    chunk.seal();
    chunk.serial = ++serial;
    if (version == 0) {
      version = writeBack.newVersion();
      nextIndex = 0;
    }
    chunk.version = version;
    chunk.index = nextIndex++;
    chunk.putExtents(pending);
    sealed.add(chunk);
  }

  private void sent(WriteChunk chunk, FsException failure) {
    Commit ready = null;
    lock.lock();
    try {
      sealed.remove(chunk);
      chunk.giveBack(writeBack.buffers());
      sealed.stream()
          .filter(older -> older.start == chunk.start && older.serial < chunk.serial)
          .forEach(older -> older.superseded = true);
      if (failure != null && error == null) {
        error = failure;
      }
      if (running != null && !running.started && isStoredUpTo(running)) {
        running.started = true;
        ready = running;
      }
    } finally {
      lock.unlock();
    }
    if (ready != null) {
      ready.start();
    }
  }

  private boolean isStoredUpTo(Commit commit) {
    for (WriteChunk chunk : sealed) {
      if (chunk.serial <= commit.lastSerial && chunk != commit.payload) {
        return false;
      }
    }
    return true;
  }

  /** An error nobody was told yet. */
  private void keep(FsException failure) {
    if (failure != null) {
      lock.lock();
      try {
        if (error == null) {
          error = failure;
        }
      } finally {
        lock.unlock();
      }
    }
  }

  void commitInBackground() {
    commit(false, (inode, failure) -> keep(failure));
  }

  /** Publishes everything written before this call. */
  public void commit(boolean sync, Committed done) {
    Commit commit;
    lock.lock();
    try {
      waiting.add(done);
      waitingSync |= sync;
      commit = mayBegin() ? begin() : null;
    } finally {
      lock.unlock();
    }
    if (commit != null) {
      commit.start();
    }
  }

  /** Makes the next commit of all who wait; null where it must wait for blocks on their way. */
  private Commit begin() {
    var commit = new Commit(List.copyOf(waiting), waitingSync);
    waiting.clear();
    waitingSync = false;
    if (error == null) {
      sealAll(commit);
    }
    commit.lastSerial = serial;
    commit.version = version;
    running = commit;
    commit.started = isStoredUpTo(commit);
    return commit.started ? commit : null;
  }

  private void sealAll(Commit commit) {
    var chunks = new ArrayList<>(live.values());
    for (int i = 0; i < chunks.size() - 1; i++) {
      sendAhead(chunks.get(i));
    }
    if (!chunks.isEmpty()) {
      commit.payload = chunks.getLast();
      seal(commit.payload);
    }
    commit.extents = pending;
    pending = new ExtentMap();
    commit.appendFrom = appendFrom;
    appendFrom = -1;
    commit.mtimeNanos = mtimeNanos;
    commit.killSuid = killSuid;
    killSuid = false;
    firstDirtyNanos = 0;
  }

  /** One publication on its way; its fields are set under the file's lock before it starts. */
  private final class Commit implements NodeSession.Outcome {
    private final List<Committed> callers;
    private final boolean sync;
    private WriteChunk payload;
    private ExtentMap extents = new ExtentMap();
    private long lastSerial;
    private long version;
    private long mtimeNanos;
    private long appendFrom = -1;
    private boolean killSuid;
    private boolean started;

    Commit(List<Committed> callers, boolean sync) {
      this.callers = callers;
      this.sync = sync;
    }

    void start() {
      FsException failed = takeError();
      if (failed != null) {
        finish(null, failed);
      } else if (extents.isEmpty()) {
        finish(null, null);
      } else {
        send();
      }
    }

    private void send() {
      var content =
          CommitContent.newBuilder()
              .setIno(ino)
              .addAllExtents(extents.list())
              .setSize(extents.end())
              .setMtimeNs(mtimeNanos)
              .setKillSuid(killSuid);
      if (appendFrom >= 0) {
        content.setAppendFrom(appendFrom);
      }
      WriteRequest.Builder write =
          payload == null
              ? WriteRequest.newBuilder().setIno(ino).setVersion(version)
              : request(payload);
      MemorySegment bytes = payload == null ? null : payload.bytes();
      writeBack.commit(
          write.setSync(sync), Command.newBuilder().setCommitContent(content), bytes, this);
    }

    @Override
    public void numbered(long sequence) {
      carriedBy(sequence);
    }

    @Override
    public void done(CommandResult result) {
      finish(result.getInode(), null);
    }

    @Override
    public void failed(FsException failure) {
      finish(null, failure);
    }

    /** The listener hears of it while reads are still answered from here: no gap between. */
    private void finish(Inode inode, FsException failure) {
      Commit next = null;
      boolean moved = inode != null && appendFrom >= 0 && inode.getSize() != extents.end();
      if (inode != null) {
        writeBack.committed(inode);
      }
      if (moved) {
        writeBack.moved(ino);
      }
      lock.lock();
      try {
        if (moved && DirtyFile.this.appendFrom >= 0) {
          waiting.add((i, failed) -> keep(failed)); // it shows in the wrong place: not for long
        }
        if (payload != null) {
          sealed.remove(payload);
          payload.giveBack(writeBack.buffers());
        }
        if (failure != null) {
          discard();
        } else if (inode != null) {
          baseBytes = inode.getSize();
        }
        running = null;
        if (mayBegin() && !waiting.isEmpty()) {
          next = begin();
        }
      } finally {
        lock.unlock();
      }
      if (failure != null) {
        writeBack.lost(ino, failure);
      }
      callers.forEach(c -> c.done(inode, failure));
      endNote();
      if (next != null) {
        next.start();
      }
    }

    private FsException takeError() {
      lock.lock();
      try {
        FsException taken = error;
        error = null;
        return taken;
      } finally {
        lock.unlock();
      }
    }
  }

  /** Everything not committed goes; what is on its way stays garbage of the node. */
  private void discard() {
    live.values().forEach(c -> c.giveBack(writeBack.buffers()));
    live.clear();
    pending = new ExtentMap();
    version = 0; // the session that it names may be gone
    appendFrom = -1;
    killSuid = false;
    firstDirtyNanos = 0;
  }

  /** Forgets what lies at or after {@code size}; a commit and the truncation itself follow. */
  public void cutAt(long size) {
    lock.lock();
    try {
      for (WriteChunk chunk : List.copyOf(live.tailMap(size, true).values())) {
        live.remove(chunk.start);
        chunk.giveBack(writeBack.buffers());
      }
      var last = live.floorEntry(size);
      if (last != null) {
        last.getValue().cutAt(size);
        if (last.getValue().isEmpty()) {
          live.remove(last.getKey());
          last.getValue().giveBack(writeBack.buffers());
        }
      }
      pending.cut(size, Long.MAX_VALUE);
      appendFrom = appendFrom > size ? -1 : appendFrom;
      if (size == 0) {
        version = 0;
      }
    } finally {
      lock.unlock();
    }
  }

  /** {@link #read}: nothing here touches the range, the node has it. */
  public static final int NOT_HERE = -1;

  /** {@link #read}: commit, then ask the node. */
  public static final int PARTLY_HERE = -2;

  /**
   * Answers a read from memory where it can.
   *
   * @param target its content is undefined where no number of bytes is returned
   * @return bytes read, fewer than asked only at the end of the file; or one of the two above
   */
  public int read(long offset, MemorySegment target) {
    lock.lock();
    try {
      if (isCleanLocked()) {
        return NOT_HERE;
      }
      long length = target.byteSize();
      if (baseBytes >= 0) {
        length = Math.clamp(Math.max(baseBytes, dirtyEnd()) - offset, 0, length);
      }
      var holes = new ReadHoles(offset, length);
      live.values().forEach(c -> c.fill(holes, target));
      for (var it = sealed.descendingIterator(); it.hasNext() && !holes.isFilled(); ) {
        WriteChunk chunk = it.next();
        if (!chunk.superseded) {
          chunk.fill(holes, target);
        }
      }
      if (holes.isFilled()) {
        return (int) length;
      }
      return touches(offset, length) ? PARTLY_HERE : NOT_HERE;
    } finally {
      lock.unlock();
    }
  }

  /** Also true where data lies behind the range: the node may believe the file ends before it. */
  private boolean touches(long offset, long length) {
    long end = offset + length;
    return live.values().stream().anyMatch(c -> c.end() > offset)
        || pending.end() > offset
        || (running != null && running.extents.end() > offset)
        || sealed.stream().anyMatch(c -> c.overlaps(offset, end - offset));
  }

  /**
   * Length, time and mode as a reader on this mount must see them; null where they are the node's.
   */
  public Inode overlay(Inode inode) {
    lock.lock();
    try {
      if (isCleanLocked()) {
        return null;
      }
      return inode.toBuilder()
          .setSize(Math.max(inode.getSize(), dirtyEnd()))
          .setMtimeNs(mtimeNanos)
          .setCtimeNs(Math.max(mtimeNanos, inode.getCtimeNs()))
          .setMode(killsSuidLocked() ? SetuidBits.cleared(inode.getMode()) : inode.getMode())
          .build();
    } finally {
      lock.unlock();
    }
  }

  /** File offset after the last byte that is not committed. */
  private long dirtyEnd() {
    long end = Math.max(pending.end(), running == null ? 0 : running.extents.end());
    return live.isEmpty() ? end : Math.max(end, live.lastEntry().getValue().end());
  }

  /**
   * The committed length, where an answer of the node has told it; -1: somebody else changed it.
   */
  public void baseIs(long bytes) {
    lock.lock();
    try {
      baseBytes = bytes;
    } finally {
      lock.unlock();
    }
  }

  /** The next commit carries this time instead of that of the last write (utimensat). */
  public void setMtime(long nanos) {
    lock.lock();
    try {
      mtimeNanos = nanos;
    } finally {
      lock.unlock();
    }
  }

  public void setMtimeNow() {
    setMtime(writeBack.nowNanos());
  }

  /** Whether the next commit clears setuid: a chmod must wait for it. */
  public boolean killsSuid() {
    lock.lock();
    try {
      return killsSuidLocked();
    } finally {
      lock.unlock();
    }
  }

  private boolean killsSuidLocked() {
    return killSuid || (running != null && running.killSuid);
  }

  public boolean isClean() {
    lock.lock();
    try {
      return isCleanLocked() && error == null;
    } finally {
      lock.unlock();
    }
  }

  private boolean isCleanLocked() {
    return live.isEmpty() && sealed.isEmpty() && pending.isEmpty() && running == null;
  }

  /** When the oldest byte that no commit has taken yet was written; 0: there is none. */
  long dirtySinceNanos() {
    lock.lock();
    try {
      return live.isEmpty() && pending.isEmpty() ? 0 : firstDirtyNanos;
    } finally {
      lock.unlock();
    }
  }
}
