package io.millrace.node;

import io.millrace.core.api.BlockId;
import io.millrace.core.api.BlockStore;
import io.millrace.core.api.ContentSource;
import io.millrace.core.api.ContentSource.Receiver;
import io.millrace.core.api.ContentSource.Urgency;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.core.api.Namespace;
import io.millrace.core.api.Pinned;
import io.millrace.core.cache.Buffer;
import io.millrace.core.cache.BufferPool;
import io.millrace.proto.Extent;
import io.millrace.proto.Inode;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * Puts the bytes of a range together from blocks and holes. One block is handed through as it lies;
 * only several pieces are gathered into a buffer. Keeps no state.
 */
final class ContentReader {
  private static final long BUFFER_WAIT_SECONDS = 10;

  private final Namespace namespace;
  private final BlockStore blocks;
  private final ContentSource source;
  private final BufferPool buffers;
  private final NodeCounters counters;

  ContentReader(
      Namespace namespace,
      BlockStore blocks,
      ContentSource source,
      BufferPool buffers,
      NodeCounters counters) {
    this.namespace = namespace;
    this.blocks = blocks;
    this.source = source;
    this.buffers = buffers;
    this.counters = counters;
  }

  /**
   * A part of the range.
   *
   * @param block null for a hole
   */
  private record Piece(BlockId block, int blockOffset, int length, int at) {}

  /** Which pieces make up a range of this state of the inode. */
  static final class Plan {
    final Inode inode;
    final long offset;
    final int length;
    private final List<Piece> pieces;

    private Plan(Inode inode, long offset, int length, List<Piece> pieces) {
      this.inode = inode;
      this.offset = offset;
      this.length = length;
      this.pieces = pieces;
    }
  }

  /** From L1 alone and without the namespace; empty where that is not enough. */
  Optional<Pinned> inMemory(Inode inode, long offset, int wanted) {
    int length = clip(inode, offset, wanted);
    int inBlock = (int) (offset % BlockId.MAX_BYTES);
    if (length == 0) {
      return Optional.of(Pinned.EMPTY);
    }
    if (inode.getVersion() == 0 || inBlock + length > BlockId.MAX_BYTES) {
      return Optional.empty();
    }
    return blocks.readMemory(block(inode, inode.getVersion(), offset), inBlock, length);
  }

  /** Reads the namespace: extents and inode of one moment. */
  Plan plan(Inode first, long offset, int wanted) {
    Inode inode = first;
    while (true) {
      int length = clip(inode, offset, wanted);
      if (inode.getVersion() != 0) {
        return new Plan(inode, offset, length, uniform(inode, offset, length));
      }
      List<Extent> extents =
          length == 0 ? List.of() : namespace.extents(inode.getIno(), offset, length);
      Inode after = namespace.inode(inode.getIno());
      if (after.getContentSeq() == inode.getContentSeq()
          && after.getVersion() == inode.getVersion()) {
        return new Plan(inode, offset, length, pieces(inode, extents, offset, length));
      }
      inode = after;
    }
  }

  /** Says that the range will be read soon; false where a block of it is not here. */
  boolean expect(Plan plan) {
    for (Piece piece : plan.pieces) {
      if (isMissing(piece)) {
        return false;
      }
      if (piece.block != null) {
        blocks.expect(piece.block, piece.blockOffset, piece.length);
      }
    }
    return true;
  }

  /** From L1 and disk; empty where a block is not here. */
  Optional<Pinned> atHand(Plan plan) {
    return gather(plan, piece -> blocks.read(piece.block, piece.blockOffset, piece.length));
  }

  /**
   * Has the only block of the range brought from the bucket by whoever brings it for all; blocks
   * nothing.
   *
   * @return false: it is not one block, or not in the bucket; the receiver is not answered
   */
  boolean fetchAlone(Plan plan, Urgency urgency, Receiver receiver) {
    Piece piece = plan.pieces.size() == 1 ? plan.pieces.getFirst() : null;
    if (piece == null || piece.block == null || !inBucket(plan.inode, piece)) {
      return false;
    }
    counters.count(NodeCounters.Event.BLOCK_LOADED);
    source.load(
        plan.inode, piece.block.index(), piece.blockOffset, piece.length, urgency, receiver);
    return true;
  }

  /**
   * As {@link #atHand}, with what is missing fetched from the bucket. Blocks for long: on a virtual
   * thread, after {@link #atHand} failed. Missing blocks are fetched side by side.
   *
   * @return empty where a block is neither here nor in the bucket
   */
  Optional<Pinned> fetch(Plan plan, Urgency urgency) {
    var missing = plan.pieces.stream().filter(piece -> isMissing(piece)).toList();
    if (missing.stream().anyMatch(piece -> !inBucket(plan.inode, piece))) {
      return Optional.empty();
    }
    try (var loads = new SideBySide()) {
      for (Piece piece : missing) {
        counters.count(NodeCounters.Event.BLOCK_LOADED);
        loads.start(piece.block, () -> load(plan.inode, piece, urgency));
      }
      return gather(
          plan,
          piece ->
              loads.has(piece.block)
                  ? Optional.of(loads.take(piece.block))
                  : blocks.read(piece.block, piece.blockOffset, piece.length));
    }
  }

  private Pinned load(Inode inode, Piece piece, Urgency urgency) {
    return source.load(inode, piece.block.index(), piece.blockOffset, piece.length, urgency);
  }

  private boolean isMissing(Piece piece) {
    return piece.block != null && !blocks.contains(piece.block);
  }

  private static boolean inBucket(Inode inode, Piece piece) {
    return inode.hasObject() && inode.getObject().getStream() == piece.block.version();
  }

  /** Where the bytes of a block come from. */
  private interface Supply {
    Optional<Pinned> get(Piece piece);
  }

  private Optional<Pinned> gather(Plan plan, Supply supply) {
    if (plan.length == 0) {
      return Optional.of(Pinned.EMPTY);
    }
    if (plan.pieces.size() == 1 && plan.pieces.getFirst().block != null) {
      return supply.get(plan.pieces.getFirst());
    }
    counters.count(NodeCounters.Event.READ_GATHERED);
    Buffer target = takeBuffer(plan.length);
    boolean whole = false;
    try {
      for (Piece piece : plan.pieces) {
        if (!copy(piece, supply, target.bytes())) {
          return Optional.empty();
        }
      }
      whole = true;
      return Optional.of(target);
    } finally {
      if (!whole) {
        target.close();
      }
    }
  }

  private static boolean copy(Piece piece, Supply supply, MemorySegment target) {
    MemorySegment to = target.asSlice(piece.at, piece.length);
    if (piece.block == null) {
      to.fill((byte) 0);
      return true;
    }
    Optional<Pinned> from = supply.get(piece);
    if (from.isEmpty()) {
      return false;
    }
    try (Pinned bytes = from.get()) {
      to.copyFrom(bytes.bytes());
    }
    return true;
  }

  private Buffer takeBuffer(int length) {
    try {
      Buffer buffer = buffers.take(length, TimeUnit.SECONDS.toNanos(BUFFER_WAIT_SECONDS));
      if (buffer != null) {
        return buffer;
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    throw new FsException(Errno.EBUSY, "no memory to put a read together", "bytes", length);
  }

  private static int clip(Inode inode, long offset, int wanted) {
    return (int) Math.max(0, Math.min(wanted, inode.getSize() - offset));
  }

  private static BlockId block(Inode inode, long version, long streamOffset) {
    return new BlockId(inode.getIno(), version, Math.toIntExact(streamOffset / BlockId.MAX_BYTES));
  }

  private static List<Piece> uniform(Inode inode, long offset, int length) {
    var pieces = new ArrayList<Piece>(2);
    blocksOf(inode, inode.getVersion(), offset, length, 0, pieces);
    return pieces;
  }

  private static List<Piece> pieces(Inode inode, List<Extent> extents, long offset, int length) {
    var pieces = new ArrayList<Piece>();
    long at = offset;
    long end = offset + length;
    for (Extent extent : extents) {
      long from = Math.max(at, extent.getFileOffset());
      long to = Math.min(end, extent.getFileOffset() + extent.getLength());
      if (from >= to) {
        continue;
      }
      hole(at, from, offset, pieces);
      long stream = extent.getStreamOffset() + (from - extent.getFileOffset());
      blocksOf(
          inode, extent.getVersion(), stream, (int) (to - from), (int) (from - offset), pieces);
      at = to;
    }
    hole(at, end, offset, pieces);
    return pieces;
  }

  private static void hole(long from, long to, long offset, List<Piece> pieces) {
    if (to > from) {
      pieces.add(new Piece(null, 0, (int) (to - from), (int) (from - offset)));
    }
  }

  private static void blocksOf(
      Inode inode, long version, long stream, int length, int at, List<Piece> pieces) {
    int done = 0;
    while (done < length) {
      int inBlock = (int) ((stream + done) % BlockId.MAX_BYTES);
      int part = Math.min(length - done, BlockId.MAX_BYTES - inBlock);
      pieces.add(new Piece(block(inode, version, stream + done), inBlock, part, at + done));
      done += part;
    }
  }
}
