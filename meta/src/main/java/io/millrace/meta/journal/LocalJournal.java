package io.millrace.meta.journal;

import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.meta.machine.StateMachine;
import io.millrace.proto.Command;
import io.millrace.proto.CommandResult;
import java.lang.System.Logger.Level;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

/**
 * The journal of one machine: one thread takes all commands that wait, applies them, and writes
 * them as one RocksDB batch (group commit). What only has to survive the process is written to the
 * log. Where a command has to survive power loss and its blocks do already, a second thread syncs
 * the log for all such at once, while names go on changing; else blocks and log are synced here.
 * The second thread also syncs what is left within a second.
 *
 * <p>Invariant (H13): no command reaches a log that is being synced before its blocks were synced:
 * those that may name others are written under {@link #naming}, and so are log syncs, which sync
 * blocks first where such commands came since.
 */
public final class LocalJournal implements Journal {
  private static final System.Logger LOG = System.getLogger(LocalJournal.class.getName());
  private static final int WAITING_MAX = 4096;
  private static final int BATCH_COMMANDS_MAX = 256;
  private static final int BATCH_BYTES_MAX = 4 << 20;
  private static final long SYNC_INTERVAL_MILLIS = 1000;
  private static final long IDLE_MILLIS = 200;

  /** How much must be durable before the result. */
  private enum Wish {
    /** No command: results of a log sync are there. */
    WAKE,
    PROCESS,
    LOG,
    BLOCKS_AND_LOG
  }

  private record Waiting(Command command, Wish wish, Consumer<CommandResult> result) {

    /** Whether it may name blocks that a power loss would take. */
    boolean namesBlocks() {
      return switch (command.getOpCase()) {
        case CREATE, MKDIR, UNLINK, RMDIR, RENAME, LINK, REAP_ORPHAN -> false;
        case COMMIT_CONTENT -> wish != Wish.LOG;
        case SET_ATTR,
            SET_XATTR,
            REMOVE_XATTR,
            FALLOCATE,
            OPEN_SESSION,
            CLOSE_SESSION,
            PUT_LINK,
            REMOVE_LINK,
            PUT_TASK,
            IMPORT_BATCH,
            MARK_EXPORTED,
            RESOLVE_CHANGE,
            FORGET_GARBAGE,
            PUT_QUOTA,
            REMOVE_QUOTA,
            COUNT_QUOTA,
            PUT_TRASH,
            PURGE_TRASH,
            RESTORE_TRASH,
            OP_NOT_SET ->
            true;
      };
    }
  }

  private static final Waiting WAKE =
      new Waiting(Command.getDefaultInstance(), Wish.WAKE, result -> {});

  private final StateMachine machine;
  private final Runnable blockSync;
  private final BlockingQueue<Waiting> queue = new ArrayBlockingQueue<>(WAITING_MAX);
  private final ArrayDeque<Waiting> fromResults = new ArrayDeque<>(); // journal's thread only
  private final LogSyncs<Waiting> logSyncs = new LogSyncs<>();
  private final ReentrantLock naming = new ReentrantLock(true);
  private final Thread writer;
  private final Thread syncer;
  private volatile boolean closing;
  private volatile boolean ended;
  private volatile boolean unsynced;

  /** Commands were written whose blocks nobody has synced; under {@link #naming}. */
  private boolean blocksUnsynced = true;

  private long index;

  /**
   * @param blockSync makes all blocks stored before the call survive power loss
   */
  public LocalJournal(StateMachine machine, Runnable blockSync) {
    this.machine = machine;
    this.blockSync = blockSync;
    index = machine.applied();
    writer = Thread.ofPlatform().name("journal").unstarted(this::write);
    syncer = Thread.ofPlatform().name("journal-sync").daemon().unstarted(this::syncLog);
  }

  /** Begins to take commands. */
  public LocalJournal start() {
    writer.start();
    syncer.start();
    return this;
  }

  @Override
  public boolean isJournalThread() {
    return Thread.currentThread() == writer;
  }

  @Override
  public void submit(Command command, boolean sync, Consumer<CommandResult> result) {
    take(new Waiting(command, sync ? Wish.BLOCKS_AND_LOG : Wish.PROCESS, result));
  }

  @Override
  public void submitStored(Command command, Consumer<CommandResult> result) {
    take(new Waiting(command, Wish.LOG, result));
  }

  private void take(Waiting waiting) {
    if (isJournalThread()) {
      fromResults.add(waiting); // waiting for room here would wait for itself
      return;
    }
    try {
      while (!ended) {
        if (queue.offer(waiting, IDLE_MILLIS, TimeUnit.MILLISECONDS)) {
          if (ended && queue.remove(waiting)) {
            break;
          }
          return;
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      answer(waiting, failure(Errno.EINTR, "interrupted before the journal took it"));
      return;
    }
    answer(waiting, failure(Errno.ENOTCONN, "namespace is closed"));
  }

  private void write() {
    try {
      while (!closing || !queue.isEmpty() || !fromResults.isEmpty() || logSyncs.areLeft()) {
        List<Waiting> batch = nextBatch();
        if (!batch.isEmpty()) {
          commit(batch);
        }
        logSyncs.forEachDone(LocalJournal::answer);
      }
      if (unsynced) {
        syncRegularly();
      }
    } catch (InterruptedException e) {
      LOG.log(Level.ERROR, "journal interrupted", e);
    } finally {
      ended = true;
      logSyncs.wake();
      for (Waiting late = queue.poll(); late != null; late = queue.poll()) {
        answer(late, failure(Errno.ENOTCONN, "namespace is closed"));
      }
    }
  }

  private List<Waiting> nextBatch() throws InterruptedException {
    var batch = new ArrayList<Waiting>();
    Waiting next = fromResults.isEmpty() ? queue.poll(IDLE_MILLIS, TimeUnit.MILLISECONDS) : null;
    long bytes = 0;
    while (true) {
      if (next != null && next.wish != Wish.WAKE) {
        batch.add(next);
        bytes += next.command.getSerializedSize();
      }
      if (batch.size() == BATCH_COMMANDS_MAX || bytes >= BATCH_BYTES_MAX) {
        return batch;
      }
      next = fromResults.isEmpty() ? queue.poll() : fromResults.poll();
      if (next == null) {
        return batch;
      }
    }
  }

  private void commit(List<Waiting> batch) {
    boolean naming = false;
    boolean syncsHere = false;
    for (Waiting waiting : batch) {
      naming |= waiting.namesBlocks();
      syncsHere |= waiting.wish == Wish.BLOCKS_AND_LOG;
    }
    var results = new ArrayList<CommandResult>(batch.size());
    try {
      if (naming || syncsHere) {
        writeNaming(batch, results, syncsHere);
      } else {
        write(batch, results, false);
      }
    } catch (FsException e) {
      refuse(batch, failure(e.errno(), e.getMessage()));
      return;
    } catch (RuntimeException e) {
      LOG.log(Level.ERROR, "journal batch failed", e);
      refuse(batch, failure(Errno.EIO, "journal batch failed: " + e));
      return;
    }
    for (int i = 0; i < batch.size(); i++) {
      Waiting waiting = batch.get(i);
      if (waiting.wish == Wish.LOG && !syncsHere) {
        logSyncs.add(waiting, results.get(i));
      } else {
        answer(waiting, results.get(i));
      }
    }
  }

  private void writeNaming(List<Waiting> batch, List<CommandResult> results, boolean sync) {
    naming.lock();
    try {
      if (sync) {
        blockSync.run();
      }
      blocksUnsynced = true;
      write(batch, results, sync);
      blocksUnsynced = !sync;
    } finally {
      naming.unlock();
    }
  }

  private void write(List<Waiting> batch, List<CommandResult> results, boolean sync) {
    long next = index;
    for (Waiting waiting : batch) {
      results.add(machine.apply(++next, waiting.command));
    }
    machine.write(sync);
    index = next;
    unsynced = !sync;
  }

  private static void refuse(List<Waiting> batch, CommandResult failure) {
    batch.forEach(waiting -> answer(waiting, failure));
  }

  private static void answer(Waiting waiting, CommandResult result) {
    try {
      waiting.result.accept(result);
    } catch (RuntimeException e) {
      LOG.log(Level.ERROR, "taker of a result failed", e);
    }
  }

  private static CommandResult failure(Errno errno, String message) {
    return CommandResult.newBuilder().setErrno(errno.code()).setMessage(message).build();
  }

  /** Blocks first, then the log. */
  private void syncBlocksAndLog() {
    naming.lock();
    try {
      if (blocksUnsynced) {
        blockSync.run();
        blocksUnsynced = false;
      }
      unsynced = false;
      boolean done = false;
      try {
        machine.sync();
        done = true;
      } finally {
        unsynced |= !done;
      }
    } finally {
      naming.unlock();
    }
  }

  /** For those who wait for the log, and regularly. */
  private void syncLog() {
    try {
      while (!ended) {
        if (logSyncs.await(SYNC_INTERVAL_MILLIS / 2)) {
          LogSyncs<Waiting>.Round round = logSyncs.begin();
          round.end(syncFailure());
          var _ = queue.offer(WAKE); // where it is full, the journal's thread is awake
        } else if (unsynced && !ended) {
          syncRegularly();
        }
      }
    } catch (InterruptedException e) {
      LOG.log(Level.ERROR, "journal's sync interrupted", e);
    }
  }

  /** Null where it is done. */
  private CommandResult syncFailure() {
    try {
      syncBlocksAndLog();
      return null;
    } catch (FsException e) {
      return failure(e.errno(), e.getMessage());
    } catch (RuntimeException e) {
      LOG.log(Level.ERROR, "log sync failed", e);
      return failure(Errno.EIO, "log sync failed: " + e);
    }
  }

  /** Most of the blocks are synced first, while commands that name blocks still go on. */
  private void syncRegularly() {
    try {
      blockSync.run();
      syncBlocksAndLog();
    } catch (RuntimeException e) {
      LOG.log(Level.ERROR, "background sync failed", e);
    }
  }

  @Override
  public void close() {
    closing = true;
    boolean interrupted = false;
    for (Thread thread : List.of(writer, syncer)) {
      while (thread.isAlive()) {
        try {
          thread.join();
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
