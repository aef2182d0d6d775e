package io.millrace.link;

import io.millrace.core.api.ContentSource.Receiver;
import io.millrace.core.api.ContentSource.Urgency;
import io.millrace.core.api.FsException;
import io.millrace.core.api.Pinned;
import java.util.OptionalLong;
import java.util.function.UnaryOperator;

/**
 * One who waits for a part of a block. Any thread; answered by whoever took it out of its flight,
 * so once. What goes wrong at the receiver ends there: others wait for the same block.
 */
final class BlockWaiter {
  private static final System.Logger LOG = System.getLogger(BlockWaiter.class.getName());

  final int offset;
  final int length;
  final Urgency urgency;
  private final OptionalLong deadlineNanos;
  private final Receiver receiver;
  private final UnaryOperator<FsException> told;
  private volatile boolean gone;

  /**
   * @param deadlineNanos when to give up, in the time of {@link System#nanoTime}; empty: never
   * @param told makes of a failure what the receiver is promised
   */
  BlockWaiter(
      int offset,
      int length,
      Urgency urgency,
      OptionalLong deadlineNanos,
      Receiver receiver,
      UnaryOperator<FsException> told) {
    this.offset = offset;
    this.length = length;
    this.urgency = urgency;
    this.deadlineNanos = deadlineNanos;
    this.receiver = receiver;
    this.told = told;
  }

  boolean isLate(long nowNanos) {
    return deadlineNanos.isPresent() && nowNanos - deadlineNanos.getAsLong() >= 0;
  }

  /** It takes an answer still, but there is no need to try again for it. */
  void leave() {
    gone = true;
  }

  boolean waits() {
    return !gone;
  }

  boolean isWithin(long blockBytes) {
    return offset >= 0 && length >= 0 && (long) offset + length <= blockBytes;
  }

  void give(Pinned bytes) {
    guarded(() -> receiver.loaded(bytes));
  }

  void fail(FsException cause) {
    guarded(() -> receiver.failed(told.apply(cause)));
  }

  private static void guarded(Runnable answer) {
    try {
      answer.run();
    } catch (RuntimeException e) {
      LOG.log(System.Logger.Level.ERROR, "an answer was refused", e);
    }
  }
}
