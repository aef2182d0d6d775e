package io.millrace.fuse;

import java.lang.foreign.MemorySegment;

/**
 * A directory entry on its way into a reply: node, how long the kernel may believe name and
 * attributes without asking, and the attributes. Mutable and reusable like {@link FuseAttributes}.
 * A nodeid of 0 says "no such name", believed for the entry time.
 */
public final class EntryOut {
  private static final long NANOS = 1_000_000_000L;

  private final FuseAttributes attributes = new FuseAttributes();
  private long nodeid;
  private long generation;
  private long entryTtlNanos;
  private long attrTtlNanos;

  public EntryOut clear() {
    nodeid = generation = entryTtlNanos = attrTtlNanos = 0;
    attributes.clear();
    return this;
  }

  /** Sets the node, and the attributes' inode number to the same. */
  public EntryOut nodeid(long value) {
    nodeid = value;
    attributes.ino(value);
    return this;
  }

  public EntryOut generation(long value) {
    generation = value;
    return this;
  }

  /** Times in nanoseconds; {@code Long.MAX_VALUE} is for ever. */
  public EntryOut ttl(long entryNanos, long attrNanos) {
    entryTtlNanos = entryNanos;
    attrTtlNanos = attrNanos;
    return this;
  }

  public FuseAttributes attributes() {
    return attributes;
  }

  public long nodeid() {
    return nodeid;
  }

  void write(MemorySegment to, long at) {
    to.set(Wire.U64, at + Wire.EntryReply.NODEID, nodeid);
    to.set(Wire.U64, at + Wire.EntryReply.GENERATION, generation);
    to.set(Wire.U64, at + Wire.EntryReply.ENTRY_VALID, entryTtlNanos / NANOS);
    to.set(Wire.U64, at + Wire.EntryReply.ATTR_VALID, attrTtlNanos / NANOS);
    to.set(Wire.U32, at + Wire.EntryReply.ENTRY_VALID_NSEC, (int) (entryTtlNanos % NANOS));
    to.set(Wire.U32, at + Wire.EntryReply.ATTR_VALID_NSEC, (int) (attrTtlNanos % NANOS));
    attributes.write(to, at + Wire.EntryReply.ATTR);
  }

  /** An entry that says "no such name". */
  static void writeAbsent(MemorySegment to, long at, long ttlNanos) {
    to.asSlice(at, Wire.EntryReply.BYTES).fill((byte) 0);
    to.set(Wire.U64, at + Wire.EntryReply.ENTRY_VALID, ttlNanos / NANOS);
    to.set(Wire.U32, at + Wire.EntryReply.ENTRY_VALID_NSEC, (int) (ttlNanos % NANOS));
  }
}
