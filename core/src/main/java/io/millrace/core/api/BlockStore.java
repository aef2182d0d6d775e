package io.millrace.core.api;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Immutable blocks of one node: a disk pool with L1 memory in front. Safe for many threads. All
 * methods may block on the disk; callers stand on platform threads or accept pinning (H28).
 *
 * <p>Blocks are clean (the bucket has the bytes: the store may drop them whenever it needs room) or
 * dirty (the only copy: never dropped unless {@link #drop} says so).
 */
public interface BlockStore extends AutoCloseable {

  /** How a block is kept. */
  enum Kind {
    CLEAN,
    DIRTY
  }

  /** Numbers for status and metrics, in bytes and blocks. */
  record Usage(
      long l1Bytes,
      long l1Capacity,
      long diskBytes,
      long diskCapacity,
      long dirtyBytes,
      long blocks,
      long l1Hits,
      long diskHits,
      long misses) {}

  /**
   * Room for a block of {@code length} bytes that the caller fills and commits; so content comes
   * from the network with one copy. Blocks while too many are open (a hard limit on memory).
   *
   * @throws FsException ENOSPC the block is dirty and no room can be made; a clean block that finds
   *     no room is still handed out, and its commit serves the caller without keeping it
   */
  Draft begin(BlockId id, int length, Kind kind);

  /**
   * Stores a dirty block from the caller's memory: {@link #begin}, fill and {@link
   * Draft#commit(int)} in one, for implementations that then need no memory of their own.
   *
   * @throws FsException as those two
   */
  default void put(BlockId id, MemorySegment bytes, int crc32c) {
    try (Draft draft = begin(id, (int) bytes.byteSize(), Kind.DIRTY)) {
      draft.bytes().copyFrom(bytes);
      draft.commit(crc32c).close();
    }
  }

  /** A block being filled. Owned by one thread at a time; close without commit drops it. */
  interface Draft extends AutoCloseable {
    /** Exactly {@code length} bytes. Off-heap. Contents unspecified. */
    MemorySegment bytes();

    /**
     * Stores the block. On return a dirty one survives the death of the process; power loss only
     * after {@link BlockStore#sync}. A clean one may be lost with the process until a second has
     * passed, or it was made dirty, or synced. A block of that id that is there already stays as it
     * is.
     *
     * @param crc32c of the bytes, as the writer made it; checked here
     * @return the block, pinned; the caller closes it
     * @throws FsException EIO the checksum is wrong or the disk failed; ENOSPC no room for a dirty
     *     block
     */
    Pinned commit(int crc32c);

    /** As {@link #commit(int)}, with a checksum taken here (content that came without one). */
    Pinned commit();

    @Override
    void close();
  }

  /**
   * {@code length} bytes of a block from {@code offset}, from L1, else from disk with its checksum
   * verified. Empty where the block is not here, or was damaged (then it is dropped if clean and
   * counted).
   *
   * @throws FsException EIO a dirty block is damaged; EINVAL the range ends after the block
   */
  Optional<Pinned> read(BlockId id, int offset, int length);

  /** As {@link #read}, but only from L1: never blocks on the disk. */
  Optional<Pinned> readMemory(BlockId id, int offset, int length);

  /**
   * Bytes of the block will soon be read: what is on disk may be fetched into the system's page
   * cache meanwhile. A hint: takes no memory of the store, waits for nothing, may do nothing.
   */
  default void expect(BlockId id, int offset, int length) {}

  /** Whether the block is here, without reading it. */
  boolean contains(BlockId id);

  /**
   * The export of these was verified, or {@code kind} is to be undone. Absent ones are skipped. On
   * return what became dirty survives the death of the process.
   */
  void setKind(List<BlockId> ids, Kind kind);

  /** Drops blocks, clean or dirty, for ever. Absent ones are skipped. */
  void drop(List<BlockId> ids);

  /** All blocks of one content version that are here, in order of index. */
  List<BlockId> blocksOf(long ino, long version);

  /** All content versions and block ids that are here, in key order; for fsck and the collector. */
  void forEach(Consumer<BlockId> consumer);

  /** A block that is here. */
  record Stored(BlockId id, Kind kind, int length) {}

  /**
   * Up to {@code limit} blocks from {@code first} on, in key order (unsigned); no read. For who
   * goes through all of them in steps (fsck, the collector): the next step begins after the last.
   */
  List<Stored> list(BlockId first, int limit);

  /**
   * Bytes of {@code length} from the start of the version's stream that are here; no read.
   *
   * @param version 0: any
   */
  long bytesHere(long ino, long version);

  /**
   * When a block of this version was last read here, in seconds since 1970, coarse (within an
   * hour); 0 where nothing of it is here.
   */
  long lastUsedSeconds(long ino, long version);

  /** On return all blocks committed before the call survive power loss. */
  void sync();

  Usage usage();

  @Override
  void close();
}
