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
import java.util.function.Consumer;

/**
 * The journal of one machine: one thread takes all commands that wait, applies them, and writes
 * them as one RocksDB batch (group commit). What only has to survive the process is written to the
 * log; where one command of the batch has to survive power loss, blocks are synced first, so that
 * no synced command refers to unsynced blocks (H13). A second thread syncs what is left within a
 * second.
 */
public final class LocalJournal implements Journal {
  private static final System.Logger LOG = System.getLogger(LocalJournal.class.getName());
  private static final int WAITING_MAX = 4096;
  private static final int BATCH_COMMANDS_MAX = 256;
  private static final int BATCH_BYTES_MAX = 4 << 20;
  private static final long SYNC_INTERVAL_MILLIS = 1000;
  private static final long IDLE_MILLIS = 200;

  private record Waiting(Command command, boolean sync, Consumer<CommandResult> result) {}

  private final StateMachine machine;
  private final Runnable blockSync;
  private final BlockingQueue<Waiting> queue = new ArrayBlockingQueue<>(WAITING_MAX);
  private final ArrayDeque<Waiting> fromResults = new ArrayDeque<>(); // journal's thread only
  private final Object syncerWake = new Object();
  private final Thread writer;
  private final Thread syncer;
  private volatile boolean closing;
  private volatile boolean ended;
  private volatile boolean unsynced;
  private volatile boolean syncAsked;
  private long index;

  /**
   * @param blockSync makes all blocks stored before the call survive power loss
   */
  public LocalJournal(StateMachine machine, Runnable blockSync) {
    this.machine = machine;
    this.blockSync = blockSync;
    index = machine.applied();
    writer = Thread.ofPlatform().name("journal").unstarted(this::write);
    syncer = Thread.ofPlatform().name("journal-sync").daemon().unstarted(this::syncRegularly);
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
    var waiting = new Waiting(command, sync, result);
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
      while (!closing || !queue.isEmpty() || !fromResults.isEmpty()) {
        List<Waiting> batch = nextBatch();
        if (!batch.isEmpty()) {
          commit(batch);
        }
        if (syncAsked) {
          syncAsked = false;
          syncNow();
        }
      }
      syncNow();
    } catch (InterruptedException e) {
      LOG.log(Level.ERROR, "journal interrupted", e);
    } finally {
      ended = true;
      for (Waiting late = queue.poll(); late != null; late = queue.poll()) {
        answer(late, failure(Errno.ENOTCONN, "namespace is closed"));
      }
    }
  }

  private List<Waiting> nextBatch() throws InterruptedException {
    var batch = new ArrayList<Waiting>();
    Waiting next = fromResults.isEmpty() ? queue.poll(IDLE_MILLIS, TimeUnit.MILLISECONDS) : null;
    long bytes = 0;
    if (next != null) {
      batch.add(next);
      bytes = next.command.getSerializedSize();
    }
    while (batch.size() < BATCH_COMMANDS_MAX && bytes < BATCH_BYTES_MAX) {
      next = fromResults.isEmpty() ? queue.poll() : fromResults.poll();
      if (next == null) {
        break;
      }
      batch.add(next);
      bytes += next.command.getSerializedSize();
    }
    return batch;
  }

  private void commit(List<Waiting> batch) {
    boolean sync = batch.stream().anyMatch(Waiting::sync);
    var results = new ArrayList<CommandResult>(batch.size());
    try {
      if (sync) {
        blockSync.run();
      }
      long next = index;
      for (Waiting waiting : batch) {
        results.add(machine.apply(++next, waiting.command));
      }
      machine.write(sync);
      index = next;
      unsynced = !sync;
    } catch (FsException e) {
      refuse(batch, failure(e.errno(), e.getMessage()));
      return;
    } catch (RuntimeException e) {
      LOG.log(Level.ERROR, "journal batch failed", e);
      refuse(batch, failure(Errno.EIO, "journal batch failed: " + e));
      return;
    }
    for (int i = 0; i < batch.size(); i++) {
      answer(batch.get(i), results.get(i));
    }
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
  private void syncNow() {
    if (!unsynced) {
      return;
    }
    try {
      blockSync.run();
      machine.sync();
      unsynced = false;
    } catch (RuntimeException e) {
      LOG.log(Level.ERROR, "background sync failed", e);
    }
  }

  /** Most of the blocks are synced here, beside the journal's thread, which then does the rest. */
  private void syncRegularly() {
    while (!closing) {
      synchronized (syncerWake) {
        try {
          syncerWake.wait(SYNC_INTERVAL_MILLIS / 2);
        } catch (InterruptedException e) {
          return;
        }
      }
      if (unsynced && !closing) {
        try {
          blockSync.run();
        } catch (RuntimeException e) {
          LOG.log(Level.ERROR, "background sync of blocks failed", e);
        }
        syncAsked = true;
      }
    }
  }

  @Override
  public void close() {
    closing = true;
    synchronized (syncerWake) {
      syncerWake.notifyAll();
    }
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
