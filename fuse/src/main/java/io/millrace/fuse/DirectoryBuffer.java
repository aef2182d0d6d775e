package io.millrace.fuse;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The body of a READDIR or READDIRPLUS reply, filled entry by entry up to the size the kernel asked
 * for. Taken from {@link FuseRequest#directoryBuffer}; goes back by {@link FuseReply#directory} or
 * {@link #close}. One thread at a time.
 */
public final class DirectoryBuffer implements AutoCloseable {
  private final DirectoryBuffers home;
  private final NativeMemory memory;
  private int limit;
  private int used;
  private int entries;
  private boolean plus;
  private boolean out;

  DirectoryBuffer(DirectoryBuffers home, NativeMemory memory) {
    this.home = home;
    this.memory = memory;
  }

  void open(int sizeBytes, boolean withAttributes) {
    limit = (int) Math.min(sizeBytes, memory.segment.byteSize());
    used = entries = 0;
    plus = withAttributes;
    out = true;
  }

  /** Whether the kernel asked for attributes too. */
  public boolean plus() {
    return plus;
  }

  public int entries() {
    return entries;
  }

  public boolean isEmpty() {
    return entries == 0;
  }

  /**
   * Adds an entry with attributes, which READDIR leaves out. With READDIRPLUS it counts as one
   * lookup of the node when the reply is taken; so {@code .} and {@code ..} go through the other
   * method.
   *
   * @param cookie where the next READDIR goes on after this entry; above 0
   * @return false, and nothing added, when there is no room: reply with what there is
   */
  public boolean add(byte[] name, long cookie, EntryOut entry) {
    return add(name, 0, name.length, cookie, entry);
  }

  public boolean add(byte[] name, int from, int length, long cookie, EntryOut entry) {
    FuseAttributes a = entry.attributes();
    int header = plus ? Wire.EntryReply.BYTES : 0;
    if (!fits(length, header)) {
      return false;
    }
    if (plus) {
      entry.write(memory.segment, used);
    }
    append(name, from, length, cookie, a.ino(), a.mode(), header);
    return true;
  }

  /** Adds an entry of which the kernel learns only number and type; no lookup is counted. */
  public boolean add(byte[] name, long cookie, long ino, int mode) {
    int header = plus ? Wire.EntryReply.BYTES : 0;
    if (!fits(name.length, header)) {
      return false;
    }
    memory.segment.asSlice(used, header).fill((byte) 0);
    append(name, 0, name.length, cookie, ino, mode, header);
    return true;
  }

  private boolean fits(int nameLength, int header) {
    return used + header + Wire.Dirent.bytes(nameLength) <= limit;
  }

  private void append(
      byte[] name, int from, int length, long cookie, long ino, int mode, int header) {
    MemorySegment to = memory.segment;
    int at = used + header;
    to.set(Wire.U64, at + Wire.Dirent.INO, ino);
    to.set(Wire.U64, at + Wire.Dirent.OFFSET, cookie);
    to.set(Wire.U32, at + Wire.Dirent.NAMELEN, length);
    to.set(Wire.U32, at + Wire.Dirent.TYPE, (mode >>> 12) & 15);
    MemorySegment.copy(name, from, to, ValueLayout.JAVA_BYTE, at + Wire.Dirent.NAME, length);
    int end = at + Wire.Dirent.bytes(length);
    for (int i = at + Wire.Dirent.NAME + length; i < end; i++) {
      to.set(ValueLayout.JAVA_BYTE, i, (byte) 0);
    }
    used = end;
    entries++;
  }

  long address() {
    return memory.address;
  }

  int usedBytes() {
    return used;
  }

  MemorySegment bytes() {
    return memory.segment.asSlice(0, used);
  }

  /** The first entry's offset, or -1; for walking over the nodes that count as looked up. */
  int firstEntry() {
    return plus && used > 0 ? 0 : -1;
  }

  int nextEntry(int at) {
    int name = memory.segment.get(Wire.U32, at + Wire.EntryReply.BYTES + Wire.Dirent.NAMELEN);
    int next = at + Wire.EntryReply.BYTES + Wire.Dirent.bytes(name);
    return next < used ? next : -1;
  }

  long nodeidAt(int at) {
    return memory.segment.get(Wire.U64, at + Wire.EntryReply.NODEID);
  }

  /** Gives the buffer back; harmless when the reply has done so. */
  @Override
  public void close() {
    if (out) {
      out = false;
      home.giveBack(this);
    }
  }

  NativeMemory memory() {
    return memory;
  }
}
