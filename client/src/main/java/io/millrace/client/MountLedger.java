package io.millrace.client;

import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * What a mount must not forget when the process that serves it dies: in memory that its supervisor
 * has open too (H17). Written by plain stores, which survive a kill at any instruction; nothing of
 * it survives the machine. FORMATS.md, "Mount ledger".
 *
 * <p>Any thread. Everything has a limit: at one of them the mount goes on, and is marked as one
 * that can't be taken over.
 */
public final class MountLedger {
  private static final Logger LOG = System.getLogger(MountLedger.class.getName());
  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
  private static final VarHandle COUNTER = LONG.varHandle();
  private static final int FORMAT = 1;

  /** The supervisor reads the first byte and writes the second; see {@link Phase}. */
  private static final long PHASE = 0;

  private static final long WISH = 1;
  private static final long FORMAT_AT = 4;
  private static final long GENERATION = 8;
  private static final long SESSION = 16;
  private static final long VERSIONS = 24;
  private static final long HEADER_BYTES = 4096;
  private static final byte WISH_HAND_OVER = 'U';

  private static final long HANDLES = 1 << 20;
  private static final long UNSENT = 1 << 18;
  private static final long NODES = 1 << 24;

  private static final long HANDLES_AT = HEADER_BYTES + SentCommands.BYTES;
  private static final long UNSENT_AT = HANDLES_AT + HANDLES * HandleRows.COLUMNS * Long.BYTES;
  private static final long NODES_AT = UNSENT_AT + UNSENT * UnsentData.COLUMNS * Long.BYTES;

  /** Size of the memory; what is not used takes none. */
  public static final long BYTES = NODES_AT + 2 * NODES * Long.BYTES + 64;

  /** How far the mount has come, as the supervisor reads it when the process has ended. */
  public enum Phase {
    /** A crash is one. */
    SERVING('S'),
    /** Another process is to go on at once. */
    HANDED_OVER('U'),
    ENDED('E'),
    /** A crash ends the mount. */
    CANNOT_SURVIVE('X');

    private final char letter;

    Phase(char letter) {
      this.letter = letter;
    }
  }

  private final MemorySegment header;
  private final SentCommands commands;
  private final HandleRows handles;
  private final UnsentData unsent;
  private final HeldNodes nodes;
  private final boolean taken;

  private MountLedger(MemorySegment memory) {
    if (memory == null) {
      header = Arena.ofAuto().allocate(HEADER_BYTES, Long.BYTES);
      taken = false;
      MemorySegment none = MemorySegment.NULL;
      Runnable unkept = () -> {};
      commands = new SentCommands(none);
      handles = new HandleRows(new SlotTable(none, HandleRows.COLUMNS), unkept);
      unsent = new UnsentData(new SlotTable(none, UnsentData.COLUMNS), unkept);
      nodes = new HeldNodes(none, unkept);
      return;
    }
    header = memory.asSlice(0, HEADER_BYTES);
    int format = header.get(ValueLayout.JAVA_INT, FORMAT_AT);
    if (format != 0 && format != FORMAT) {
      throw new IllegalStateException("a ledger of a version that can't be followed: " + format);
    }
    taken = format == FORMAT;
    header.set(ValueLayout.JAVA_INT, FORMAT_AT, FORMAT);
    header.set(LONG, GENERATION, generation() + 1);
    commands = new SentCommands(memory.asSlice(HEADER_BYTES, SentCommands.BYTES));
    MemorySegment handleRows = memory.asSlice(HANDLES_AT, UNSENT_AT - HANDLES_AT);
    handles = new HandleRows(new SlotTable(handleRows, HandleRows.COLUMNS), this::overflow);
    MemorySegment unsentRows = memory.asSlice(UNSENT_AT, NODES_AT - UNSENT_AT);
    unsent = new UnsentData(new SlotTable(unsentRows, UnsentData.COLUMNS), this::overflow);
    nodes = new HeldNodes(memory.asSlice(NODES_AT), this::overflow);
  }

  /** For a mount that ends with its process. */
  public static MountLedger none() {
    return new MountLedger(null);
  }

  /**
   * Opens the memory, and takes over what another process left in it.
   *
   * @param file of the memory; grows to {@link #BYTES}
   */
  public static MountLedger open(Path file) throws IOException {
    try (var channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      MemorySegment memory = channel.map(FileChannel.MapMode.READ_WRITE, 0, BYTES, Arena.ofAuto());
      return new MountLedger(memory);
    }
  }

  private void overflow() {
    if (header.get(ValueLayout.JAVA_BYTE, PHASE) != Phase.CANNOT_SURVIVE.letter) {
      LOG.log(
          Level.WARNING, "too much is open to be noted: a crash of this process ends the mount");
      enter(Phase.CANNOT_SURVIVE);
    }
  }

  public void enter(Phase phase) {
    header.set(ValueLayout.JAVA_BYTE, PHASE, (byte) phase.letter);
  }

  /** The supervisor wants another process to go on; true once. */
  public boolean takeWish() {
    if (header.get(ValueLayout.JAVA_BYTE, WISH) != WISH_HAND_OVER) {
      return false;
    }
    header.set(ValueLayout.JAVA_BYTE, WISH, (byte) 0);
    return true;
  }

  /** Whether another process has written here before. */
  public boolean isTakenOver() {
    return taken;
  }

  /** Differs between the processes of a mount; handles numbered with it never meet. */
  public long generation() {
    return header.get(LONG, GENERATION);
  }

  /** The session at the node to go on with; 0: none yet. */
  public long session() {
    return header.get(LONG, SESSION);
  }

  void session(long session) {
    header.set(LONG, SESSION, session);
  }

  /** Counts content versions; never twice the same. */
  int nextVersion() {
    return (int) ((long) COUNTER.getAndAdd(header, VERSIONS, 1L) + 1);
  }

  SentCommands commands() {
    return commands;
  }

  public HandleRows handles() {
    return handles;
  }

  public UnsentData unsent() {
    return unsent;
  }

  public HeldNodes nodes() {
    return nodes;
  }
}
