package io.millrace.blocks;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.core.api.BlockId;
import io.millrace.core.api.BlockStore;
import io.millrace.core.api.BlockStore.Draft;
import io.millrace.core.api.BlockStore.Kind;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.core.api.Pinned;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** What every block store does. */
abstract class BlockStoreContract {
  private static final int LARGE = 3 << 20;
  private BlockStore store;

  abstract BlockStore open();

  @BeforeEach
  void openStore() {
    store = open();
  }

  @AfterEach
  void closeStore() {
    store.close();
  }

  @Test
  void aCommittedBlockIsReadWholeAndInParts() {
    for (int length : List.of(1, 5000, 1 << 20, LARGE, BlockId.MAX_BYTES)) {
      var id = new BlockId(7, length, 3);
      try (Pinned stored = Bytes.put(store, id, length, Kind.CLEAN)) {
        Bytes.check(id, 0, stored.bytes());
      }
      assertTrue(store.contains(id));
      checkRange(id, 0, length);
      checkRange(id, length / 2, length - length / 2);
      checkRange(id, length - 1, 1);
    }
  }

  @Test
  void aBlockPutFromTheCallersMemoryIsStoredDirty() {
    for (int length : List.of(1, 5000, LARGE, BlockId.MAX_BYTES)) {
      var id = new BlockId(8, length, 0);
      try (Pinned source = Bytes.put(store, new BlockId(9, length, 0), length, Kind.CLEAN)) {
        long dirty = store.usage().dirtyBytes();
        int crc = Crc32c.of(source.bytes());
        assertErrno(Errno.EIO, () -> store.put(id, source.bytes(), crc + 1));
        assertFalse(store.contains(id));
        assertEquals(dirty, store.usage().dirtyBytes());
        store.put(id, source.bytes(), crc);
        assertEquals(dirty + length, store.usage().dirtyBytes());
        store.expect(id, 0, length);
        try (Pinned stored = store.read(id, 0, length).orElseThrow()) {
          assertEquals(-1, stored.bytes().mismatch(source.bytes()));
        }
      }
    }
  }

  @Test
  void whatIsNotThereIsEmpty() {
    var id = new BlockId(1, 1, 0);
    assertTrue(store.read(id, 0, 1).isEmpty());
    assertTrue(store.readMemory(id, 0, 1).isEmpty());
    assertFalse(store.contains(id));
    store.drop(List.of(id));
    store.setKind(List.of(id), Kind.CLEAN);
    assertEquals(0, store.bytesHere(1, 0));
    assertEquals(0, store.lastUsedSeconds(1, 1));
  }

  @Test
  void aDraftThatIsClosedLeavesNothing() {
    var id = new BlockId(1, 1, 0);
    long before = store.usage().diskBytes();
    try (Draft draft = store.begin(id, 100_000, Kind.DIRTY)) {
      assertEquals(100_000, draft.bytes().byteSize());
    }
    assertFalse(store.contains(id));
    assertEquals(before, store.usage().diskBytes());
  }

  @Test
  void aWrongChecksumIsRefused() {
    var id = new BlockId(1, 1, 0);
    try (Draft draft = store.begin(id, 10, Kind.DIRTY)) {
      Bytes.fill(id, draft.bytes());
      int wrong = Crc32c.of(draft.bytes()) + 1;
      assertErrno(Errno.EIO, () -> draft.commit(wrong));
    }
    assertFalse(store.contains(id));
  }

  @Test
  void aBlockThatIsThereStaysAsItIs() {
    var id = new BlockId(1, 1, 0);
    Bytes.put(store, id, 100, Kind.DIRTY).close();
    Bytes.put(store, id, 100, Kind.DIRTY).close();
    assertEquals(1, store.usage().blocks());
    try (Draft draft = store.begin(id, 100, Kind.DIRTY)) {
      draft.bytes().fill((byte) 1);
      assertErrno(Errno.EIO, draft::commit);
    }
    checkRange(id, 0, 100);
  }

  @Test
  void aRangeBehindTheEndIsRefused() {
    for (int length : List.of(100, LARGE)) {
      var id = new BlockId(1, length, 0);
      Bytes.put(store, id, length, Kind.DIRTY).close();
      assertErrno(Errno.EINVAL, () -> store.read(id, length - 1, 2));
      assertErrno(Errno.EINVAL, () -> store.read(id, -1, 2));
    }
    assertErrno(
        Errno.EINVAL, () -> store.begin(new BlockId(1, 1, 1), BlockId.MAX_BYTES + 1, Kind.CLEAN));
  }

  @Test
  void listingsFollowVersionsInOrderOfIndex() {
    for (int index : List.of(5, 0, 2)) {
      Bytes.put(store, new BlockId(2, 9, index), 1000, Kind.DIRTY).close();
    }
    Bytes.put(store, new BlockId(2, 10, 0), 500, Kind.CLEAN).close();
    Bytes.put(store, new BlockId(1, 1L << 32, 0), LARGE, Kind.CLEAN).close();
    assertEquals(
        List.of(new BlockId(2, 9, 0), new BlockId(2, 9, 2), new BlockId(2, 9, 5)),
        store.blocksOf(2, 9));
    assertEquals(3000, store.bytesHere(2, 9));
    assertEquals(3500, store.bytesHere(2, 0));
    assertEquals(LARGE, store.bytesHere(1, 0));
    assertTrue(store.lastUsedSeconds(2, 9) > 0);
    var all = new ArrayList<BlockId>();
    store.forEach(all::add);
    assertEquals(5, all.size());
    assertEquals(new BlockId(1, 1L << 32, 0), all.getFirst());
    assertEquals(new BlockId(2, 10, 0), all.getLast());
    assertEquals(3000, store.usage().dirtyBytes());
  }

  @Test
  void kindsChangeAndDroppedBlocksAreGone() {
    var small = new BlockId(2, 9, 0);
    var large = new BlockId(2, 9, 1);
    Bytes.put(store, small, 1000, Kind.DIRTY).close();
    Bytes.put(store, large, LARGE, Kind.DIRTY).close();
    assertEquals(1000 + LARGE, store.usage().dirtyBytes());
    store.setKind(List.of(small, large), Kind.CLEAN);
    assertEquals(0, store.usage().dirtyBytes());
    store.setKind(List.of(small), Kind.DIRTY);
    assertEquals(1000, store.usage().dirtyBytes());
    try (Pinned held = store.read(large, 0, LARGE).orElseThrow()) {
      store.drop(List.of(small, large));
      assertTrue(store.read(small, 0, 1).isEmpty());
      assertTrue(store.read(large, 0, 1).isEmpty());
      Bytes.check(large, 0, held.bytes());
    }
    assertEquals(0, store.usage().blocks());
    store.sync();
  }

  private void checkRange(BlockId id, int offset, int length) {
    try (Pinned range = store.read(id, offset, length).orElseThrow()) {
      assertEquals(length, range.bytes().byteSize());
      Bytes.check(id, offset, range.bytes());
      assertEquals(Bytes.at(id, offset), range.bytes().get(JAVA_BYTE, 0));
    }
  }

  static void assertErrno(Errno errno, Executable call) {
    assertEquals(errno, assertThrows(FsException.class, call).errno());
  }
}
