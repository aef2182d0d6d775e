package io.millrace.client;

import io.millrace.core.api.FsException;
import io.millrace.proto.Command;
import io.millrace.proto.Inode;
import io.millrace.proto.WriteRequest;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * All files with data on its way to the node, under one limit of memory. At the limit a writer
 * sends ahead what others hold and waits: back-pressure, not an error. Any thread.
 */
public final class WriteBack {
  /** Hears what became of commits; on a thread of the channel, which it must not block. */
  public interface Listener {
    void committed(Inode inode);

    /**
     * Another client appended first: what was appended here lies further back than it was shown.
     */
    void moved(long ino);

    /** Data written here did not reach the node: what the kernel caches of it is wrong. */
    void lost(long ino, FsException failure);
  }

  private record Entry(DirtyFile file, int users) {}

  private final NodeSession session;
  private final WriteBuffers buffers;
  private final InstantSource clock;
  private final Listener listener;
  private final Executor background;
  private final ConcurrentHashMap<Long, Entry> files = new ConcurrentHashMap<>();

  /**
   * @param background where full chunks are checksummed and sent: platform threads, as a node in
   *     the same process writes to its disk on them; its queue is bounded by the buffers
   */
  public WriteBack(
      NodeSession session,
      WriteBuffers buffers,
      InstantSource clock,
      Listener listener,
      Executor background) {
    this.session = session;
    this.buffers = buffers;
    this.clock = clock;
    this.listener = listener;
    this.background = background;
  }

  /** The file's dirty state, kept until as many {@link #release} as calls of this. */
  public DirtyFile acquire(long ino) {
    return files.compute(
            ino,
            (k, e) ->
                e == null ? new Entry(new DirtyFile(ino, this), 1) : new Entry(e.file, e.users + 1))
        .file;
  }

  /** Ends one use; what is still dirty is committed behind the caller's back. */
  public void release(DirtyFile file) {
    Entry left =
        files.computeIfPresent(
            file.ino(),
            (k, e) -> e.users == 1 && e.file.isClean() ? null : new Entry(e.file, e.users - 1));
    if (left != null && left.users == 0) {
      file.commit(false, (inode, failure) -> drop(file));
    }
  }

  private void drop(DirtyFile file) {
    files.computeIfPresent(
        file.ino(), (k, e) -> e.users == 0 && e.file == file && e.file.isClean() ? null : e);
  }

  /** Null where nothing of the inode is written here. */
  public DirtyFile find(long ino) {
    if (files.isEmpty()) {
      return null;
    }
    Entry entry = files.get(ino);
    return entry == null ? null : entry.file;
  }

  /** Takes all bytes from {@code from}; waits for memory. An interrupt ends the wait. */
  public void write(DirtyFile file, long offset, MemorySegment data, int from, boolean killsSuid)
      throws InterruptedException {
    int done = from;
    while (done < data.byteSize()) {
      long seen = buffers.returns();
      int n = file.write(offset, data, done, killsSuid);
      done += n;
      if (n == 0) {
        files.values().forEach(e -> e.file.sendAhead());
        buffers.awaitReturn(seen);
      }
    }
  }

  /** Commits what has been dirty for longer; others should not wait for a close to see it. */
  public void commitOlderThan(long ageNanos) {
    long limit = nowNanos() - ageNanos;
    for (Entry entry : files.values()) {
      long since = entry.file.dirtySinceNanos();
      if (since != 0 && since < limit) {
        entry.file.commitInBackground();
      }
    }
  }

  /**
   * Commits everything and waits, for so long at most. Gives one line for each file that failed.
   */
  public List<String> flushAll(Duration wait) throws InterruptedException {
    var left = new ConcurrentHashMap<Long, String>();
    List<DirtyFile> all =
        files.values().stream().map(Entry::file).filter(f -> !f.isClean()).toList();
    var answers = new CountDownLatch(all.size());
    for (DirtyFile file : all) {
      left.put(file.ino(), "the node did not answer");
      file.commit(
          true,
          (inode, failure) -> {
            if (failure == null) {
              left.remove(file.ino());
            } else {
              left.put(file.ino(), failure.getMessage());
            }
            answers.countDown();
          });
    }
    boolean allAnswered = answers.await(wait.toMillis(), TimeUnit.MILLISECONDS);
    var lines = new ArrayList<String>();
    left.forEach((ino, why) -> lines.add("inode " + ino + ": " + why));
    if (!allAnswered) {
      lines.add("gave up after " + wait);
    }
    return lines;
  }

  public long dirtyBytes() {
    return buffers.lentBytes();
  }

  NodeSession session() {
    return session;
  }

  WriteBuffers buffers() {
    return buffers;
  }

  UnsentData unsent() {
    return session.ledger().unsent();
  }

  long nowNanos() {
    var now = clock.instant();
    return now.getEpochSecond() * 1_000_000_000L + now.getNano();
  }

  void inBackground(Runnable sending) {
    background.execute(sending);
  }

  long newVersion() {
    return session.newVersion();
  }

  void store(WriteRequest request, MemorySegment payload, Consumer<FsException> outcome) {
    session.store(request, payload, outcome);
  }

  void commit(
      WriteRequest.Builder write,
      Command.Builder commit,
      MemorySegment payload,
      NodeSession.Outcome outcome) {
    session.commit(write, commit, payload, outcome);
  }

  void committed(Inode inode) {
    listener.committed(inode);
  }

  void moved(long ino) {
    listener.moved(ino);
  }

  void lost(long ino, FsException failure) {
    listener.lost(ino, failure);
  }
}
