package io.millrace.meta.journal;

import io.millrace.proto.Command;
import io.millrace.proto.CommandResult;
import java.util.function.Consumer;

/**
 * Puts commands in an order and has the state machine apply them. On one machine RocksDB's
 * write-ahead log is the journal; in a cluster it is replicated.
 */
public interface Journal extends AutoCloseable {

  /**
   * Hands over a command; blocks while the journal's queue is full. The result comes once, on the
   * journal's thread, which must not be blocked. After {@link #close} it is ENOTCONN.
   *
   * @param sync the result waits until the command, and all blocks stored before this call, survive
   *     power loss
   */
  void submit(Command command, boolean sync, Consumer<CommandResult> result);

  /**
   * {@link #submit} with sync, for a command whose blocks survive power loss already. Results of
   * other commands that only change names may come before it.
   */
  void submitStored(Command command, Consumer<CommandResult> result);

  /** Whether the calling thread is the one results come on. */
  boolean isJournalThread();

  /** Applies what was handed over before, then ends. */
  @Override
  void close();
}
