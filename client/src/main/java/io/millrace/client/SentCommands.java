package io.millrace.client;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Which request of the kernel became which command of the session, for as many commands as the node
 * keeps replies: so a request that comes again in another process is sent under its first number,
 * and gets its first answer (H6, H17). Writing is safe for any thread, one per command.
 */
final class SentCommands {
  /** As many as the namespace keeps replies of a session. */
  private static final int ROWS = 1024;

  private static final int ROW_BYTES = 32;
  static final long BYTES = (long) ROWS * ROW_BYTES;

  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
  private static final int SEQUENCE = 0;
  private static final int KEY = 8;
  private static final int KIND = 16;
  private static final int ANSWERED = 24;

  private record Origin(long key, int kind) {}

  private final MemorySegment memory;
  private final Map<Origin, Long> earlier = new HashMap<>();
  private final List<Long> unanswered = new ArrayList<>();
  private long last;

  /** Reads what a process before this one has sent. */
  SentCommands(MemorySegment memory) {
    this.memory = memory;
    for (int row = 0; row < rows(); row++) {
      long at = (long) row * ROW_BYTES;
      long sequence = memory.get(LONG, at + SEQUENCE);
      if (sequence != 0) {
        last = Math.max(last, sequence);
        long key = memory.get(LONG, at + KEY);
        if (key != 0) {
          // a command that was refused may have been sent once more, with groups
          earlier.merge(new Origin(key, (int) memory.get(LONG, at + KIND)), sequence, Math::max);
        } else if (memory.get(LONG, at + ANSWERED) == 0) {
          unanswered.add(sequence);
        }
      }
    }
  }

  private int rows() {
    return memory.byteSize() == 0 ? 0 : ROWS;
  }

  /** The highest number given out before; 0: none. */
  long last() {
    return last;
  }

  /** Commands of no request that may still be on their way. */
  List<Long> unanswered() {
    return List.copyOf(unanswered);
  }

  /**
   * The number under which a process before this one sent the request; 0: it did not. Gives it
   * once.
   */
  synchronized long earlier(long key, int kind) {
    Long sequence = earlier.isEmpty() ? null : earlier.remove(new Origin(key, kind));
    return sequence == null ? 0 : sequence;
  }

  /**
   * Before the command leaves.
   *
   * @param key of the kernel's request; 0: of none
   */
  void sent(long sequence, long key, int kind) {
    if (rows() == 0) {
      return;
    }
    long at = sequence % ROWS * ROW_BYTES;
    memory.set(LONG, at + SEQUENCE, 0L);
    java.lang.invoke.VarHandle.storeStoreFence();
    memory.set(LONG, at + KEY, key);
    memory.set(LONG, at + KIND, (long) kind);
    memory.set(LONG, at + ANSWERED, 0L);
    java.lang.invoke.VarHandle.storeStoreFence();
    memory.set(LONG, at + SEQUENCE, sequence);
  }

  void answered(long sequence) {
    if (rows() != 0) {
      memory.set(LONG, sequence % ROWS * ROW_BYTES + ANSWERED, 1L);
    }
  }

  /** The session is another, in which nothing has been sent; requests sent in the old are known. */
  synchronized void newSession() {
    memory.fill((byte) 0);
    unanswered.clear();
    last = 0;
  }
}
