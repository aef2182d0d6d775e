package io.millrace.client;

import io.millrace.core.api.FsException;
import io.millrace.proto.Command;
import io.millrace.proto.CommandResult;
import io.millrace.proto.Inode;
import io.millrace.proto.WriteRequest;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
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

  private final DirtyChunks chunks = new DirtyChunks();

  private Unpublished next = new Unpublished(0);
  private long version;
  private int nextIndex;
  private long serial;
  private FsException error;

  private final UnsentNote note;
  private final GrowthLimit growth = new GrowthLimit();

  /** Length without what is dirty; -1 while not known. */
  private long baseBytes = -1;

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

  public GrowthLimit growth() {
    return growth;
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
        next.touch(writeBack.nowNanos());
        note.written();
        next.killSuid |= killsSuid;
      }
      tooMany = next.extents.size() > EXTENTS_MAX && running == null;
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
      return baseBytes >= 0 || next.appends();
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
      if (next.appends()) {
        return Math.max(next.appendFrom, dirtyEnd()); // not the base, which may have moved: no gap
      }
      next.appendFrom = Math.max(baseBytes >= 0 ? baseBytes : believedEnd, dirtyEnd());
      return next.appendFrom;
    } finally {
      lock.unlock();
    }
  }

  public void endAppend() {
    Commit ready = null;
    lock.lock();
    try {
      appenders--;
      if (mayBegin() && !waiting.isEmpty()) {
        ready = begin();
      }
    } finally {
      lock.unlock();
    }
    if (ready != null) {
      ready.start();
    }
  }

  private boolean mayBegin() {
    return running == null && appenders == 0;
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
      if (chunks.live.isEmpty() && next.extents.isEmpty()) {
        note.carriedBy(sequence);
      }
    } finally {
      lock.unlock();
    }
  }

  private int writeChunk(long offset, MemorySegment data, int at, int left) {
    long start = offset - offset % WriteChunk.BYTES;
    int length = (int) Math.min(left, start + WriteChunk.BYTES - offset);
    WriteChunk chunk = chunks.live.computeIfAbsent(start, WriteChunk::new);
    WriteChunk.Taken taken = chunk.write(offset, data, at, length, writeBack.buffers());
    if (taken == WriteChunk.Taken.SCATTERED) {
      sendAhead(chunk);
      chunk = new WriteChunk(start);
      chunks.live.put(start, chunk);
      taken = chunk.write(offset, data, at, length, writeBack.buffers());
    }
    if (taken == WriteChunk.Taken.NO_ROOM) {
      if (chunk.isEmpty()) {
        chunks.live.remove(start);
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
      new ArrayList<>(chunks.live.values()).forEach(this::sendAhead);
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
    chunks.live.remove(chunk.start);
    chunk.seal();
    chunk.serial = ++serial;
    if (version == 0) {
      version = writeBack.newVersion();
      nextIndex = 0;
    }
    chunk.version = version;
    chunk.index = nextIndex++;
    chunk.putExtents(next.extents);
    chunks.sealed.add(chunk);
  }

  private void sent(WriteChunk chunk, FsException failure) {
    Commit ready = null;
    lock.lock();
    try {
      chunks.stored(chunk);
      chunk.giveBack(writeBack.buffers());
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
    return chunks.storedUpTo(commit.lastSerial, commit.payload);
  }

  /** An error nobody was told yet: what is not on its way is not published. */
  public void keep(FsException failure) {
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
    var live = new ArrayList<>(chunks.live.values());
    for (int i = 0; i < live.size() - 1; i++) {
      sendAhead(live.get(i));
    }
    if (!live.isEmpty()) {
      commit.payload = live.getLast();
      seal(commit.payload);
    }
    commit.change = next;
    next = new Unpublished(next.mtimeNanos);
  }

  /** One publication on its way; its fields are set under the file's lock before it starts. */
  private final class Commit implements NodeSession.Outcome {
    private final List<Committed> callers;
    private final boolean sync;
    private WriteChunk payload;
    private Unpublished change = new Unpublished(0);
    private long lastSerial;
    private long version;
    private boolean started;

    Commit(List<Committed> callers, boolean sync) {
      this.callers = callers;
      this.sync = sync;
    }

    void start() {
      FsException failed = takeError();
      if (failed != null) {
        finish(null, failed);
      } else if (change.extents.isEmpty()) {
        finish(null, null);
      } else {
        send();
      }
    }

    private void send() {
      WriteRequest.Builder write =
          payload == null
              ? WriteRequest.newBuilder().setIno(ino).setVersion(version)
              : request(payload);
      MemorySegment bytes = payload == null ? null : payload.bytes();
      writeBack.commit(
          write.setSync(sync),
          Command.newBuilder().setCommitContent(change.command(ino)),
          bytes,
          this);
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
      Commit following = null;
      boolean moved = inode != null && change.movedBy(inode);
      if (inode != null) {
        writeBack.committed(inode);
      }
      if (moved) {
        writeBack.moved(ino);
      }
      lock.lock();
      try {
        if (moved && next.appends()) {
          waiting.add((i, failed) -> keep(failed)); // it shows in the wrong place: not for long
        }
        if (payload != null) {
          chunks.sealed.remove(payload);
          payload.giveBack(writeBack.buffers());
        }
        if (failure != null) {
          discard();
        } else if (inode != null) {
          baseBytes = inode.getSize();
          growth.learn(inode);
        }
        running = null;
        if (mayBegin() && !waiting.isEmpty()) {
          following = begin();
        }
      } finally {
        lock.unlock();
      }
      if (failure != null) {
        writeBack.lost(ino, failure);
      }
      callers.forEach(c -> c.done(inode, failure));
      endNote();
      if (following != null) {
        following.start();
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
    chunks.dropLive(writeBack.buffers());
    next = new Unpublished(next.mtimeNanos);
    version = 0; // the session that it names may be gone
  }

  /** Forgets what lies at or after {@code size}; a commit and the truncation itself follow. */
  public void cutAt(long size) {
    lock.lock();
    try {
      chunks.cutAt(size, writeBack.buffers());
      next.cutAt(size);
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
      chunks.fill(holes, target);
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
    return chunks.touches(offset, length)
        || next.extents.end() > offset
        || (running != null && running.change.extents.end() > offset);
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
          .setMtimeNs(next.mtimeNanos)
          .setCtimeNs(Math.max(next.mtimeNanos, inode.getCtimeNs()))
          .setMode(killsSuidLocked() ? SetuidBits.cleared(inode.getMode()) : inode.getMode())
          .build();
    } finally {
      lock.unlock();
    }
  }

  /** File offset after the last byte that is not committed. */
  private long dirtyEnd() {
    long end = Math.max(next.extents.end(), running == null ? 0 : running.change.extents.end());
    return Math.max(end, chunks.liveEnd());
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
      next.mtimeNanos = nanos;
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
    return next.killSuid || (running != null && running.change.killSuid);
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
    return chunks.isEmpty() && next.extents.isEmpty() && running == null;
  }

  /** When the oldest byte that no commit has taken yet was written; 0: there is none. */
  long dirtySinceNanos() {
    lock.lock();
    try {
      return chunks.live.isEmpty() && next.extents.isEmpty() ? 0 : next.firstDirtyNanos;
    } finally {
      lock.unlock();
    }
  }
}
