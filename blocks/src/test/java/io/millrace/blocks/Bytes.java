package io.millrace.blocks;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.millrace.core.api.BlockId;
import io.millrace.core.api.BlockStore;
import io.millrace.core.api.BlockStore.Draft;
import io.millrace.core.api.BlockStore.Kind;
import io.millrace.core.api.Pinned;
import java.lang.foreign.MemorySegment;

/** Contents of blocks that follow from their id, so that no byte can come from elsewhere. */
final class Bytes {
  private Bytes() {}

  static Pinned put(BlockStore store, BlockId id, int length, Kind kind) {
    try (Draft draft = store.begin(id, length, kind)) {
      fill(id, draft.bytes());
      return draft.commit(Crc32c.of(draft.bytes()));
    }
  }

  static void fill(BlockId id, MemorySegment bytes) {
    for (int i = 0; i < bytes.byteSize(); i++) {
      bytes.set(JAVA_BYTE, i, at(id, i));
    }
  }

  static void check(BlockId id, int offset, MemorySegment bytes) {
    for (int i = 0; i < bytes.byteSize(); i++) {
      if (bytes.get(JAVA_BYTE, i) != at(id, offset + i)) {
        throw new AssertionError("wrong byte " + (offset + i) + " of " + id);
      }
    }
  }

  static byte at(BlockId id, int offset) {
    long mixed =
        (id.ino() * 31 + id.version()) * 31 + id.index() * 7L + offset / 251 * 13L + offset;
    return (byte) (mixed ^ mixed >>> 8);
  }
}
