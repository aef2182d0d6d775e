package io.millrace.blocks;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.core.api.BlockId;
import io.millrace.core.api.BlockStore.Kind;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.core.api.Pinned;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Flipped bits, torn tails and lost indexes: never wrong bytes, never a lost dirty block. */
class DamageTest {
  private static final int LARGE = 1 << 20;

  @TempDir(factory = InMemory.class)
  Path top;

  private final BlockId small = new BlockId(1, 1, 0);
  private final BlockId large = new BlockId(1, 1, 1);

  @Test
  void aDamagedCleanBlockIsDroppedAndCounted() throws IOException {
    fill(Kind.CLEAN);
    flipInAll("segments", 100);
    flipInAll("large", 200_000);
    try (DiskBlockStore store = open()) {
      assertTrue(store.read(large, 0, 1000).isPresent(), "the first piece is whole");
      assertTrue(store.read(large, 200_000, 1000).isEmpty());
      assertTrue(store.read(small, 0, 1000).isEmpty());
      assertEquals(2, store.counters().damagedBlocks());
      assertFalse(store.contains(small));
      assertFalse(store.contains(large));
      Bytes.put(store, small, 1000, Kind.CLEAN).close();
      assertTrue(store.read(small, 0, 1000).isPresent());
    }
  }

  @Test
  void aDamagedDirtyBlockIsAnErrorAndStays() throws IOException {
    fill(Kind.DIRTY);
    flipInAll("segments", 100);
    flipInAll("large", LARGE - 1);
    try (DiskBlockStore store = open()) {
      for (int i = 0; i < 2; i++) {
        BlockStoreContract.assertErrno(Errno.EIO, () -> store.read(small, 0, 1000));
        BlockStoreContract.assertErrno(Errno.EIO, () -> store.read(large, LARGE - 1000, 1000));
      }
      assertTrue(store.contains(small));
      assertTrue(store.contains(large));
    }
  }

  @Test
  void aDamagedTrailerIsFound() throws IOException {
    fill(Kind.CLEAN);
    flipInAll("large", LARGE + 5);
    try (DiskBlockStore store = open()) {
      assertTrue(store.read(large, 0, 1000).isEmpty());
    }
  }

  @Test
  void aMissingFileIsAMissingBlock() throws IOException {
    fill(Kind.CLEAN);
    for (Path file : files("large")) {
      Files.delete(file);
    }
    try (DiskBlockStore store = open()) {
      assertTrue(store.read(large, 0, 1000).isEmpty());
    }
  }

  @Test
  void aTornTailIsCut() throws IOException {
    fill(Kind.DIRTY);
    Path segment = files("segments").getFirst();
    long before = Files.size(segment);
    Files.write(segment, new byte[10_000], StandardOpenOption.APPEND);
    try (DiskBlockStore store = open()) {
      assertTrue(Files.size(segment) <= (before + 63) / 64 * 64);
      assertTrue(store.read(small, 0, 1000).isPresent());
    }
  }

  @Test
  void aLostIndexIsMadeAnewFromTheBlocks() throws IOException {
    fill(Kind.DIRTY);
    deleteAll(top.resolve("d/index"));
    checkAllThere();
    checkAllThere();
  }

  @Test
  void aDamagedIndexIsMadeAnewOrNoticed() throws IOException {
    fill(Kind.DIRTY);
    for (Path file : files("index")) {
      if (file.toString().endsWith(".sst") || file.getFileName().toString().startsWith("MANI")) {
        for (long at = 7; at < Files.size(file); at += 50) {
          flip(file, at);
        }
      }
    }
    checkAllThere();
  }

  @Test
  void damageInATableThatIsReadLaterIsMendedByTheNextStart() throws IOException {
    fill(Kind.DIRTY);
    try (DiskBlockStore store = open()) {
      for (int i = 0; i < 3000; i++) {
        store.setKind(List.of(small), i % 2 == 0 ? Kind.CLEAN : Kind.DIRTY);
      }
    }
    for (Path file : files("index")) {
      if (file.toString().endsWith(".sst")) {
        for (long at = 0; at < Math.min(300, Files.size(file)); at += 10) {
          flip(file, at);
        }
      }
    }
    for (int starts = 0; starts < 2; starts++) {
      try (DiskBlockStore store = open()) {
        read(store, small);
      } catch (FsException noticed) {
        assertEquals(Errno.EIO, noticed.errno());
      }
    }
    checkAllThere();
  }

  private static void read(DiskBlockStore store, BlockId id) {
    Optional<Pinned> found = store.read(id, 0, 1000);
    found.ifPresent(
        pinned -> {
          Bytes.check(id, 0, pinned.bytes());
          pinned.close();
        });
  }

  private void checkAllThere() {
    try (DiskBlockStore store = open()) {
      for (int i = 0; i < 50; i++) {
        var id = new BlockId(2, 1, i);
        try (Pinned read = store.read(id, 0, 1000 + i).orElseThrow()) {
          Bytes.check(id, 0, read.bytes());
        }
      }
      try (Pinned read = store.read(large, 0, LARGE).orElseThrow()) {
        Bytes.check(large, 0, read.bytes());
      }
      var listed = new ArrayList<BlockId>();
      store.forEach(listed::add);
      assertEquals(52, listed.size());
      var fresh = new BlockId(9, System.nanoTime(), 0);
      Bytes.put(store, fresh, 1000, Kind.DIRTY).close();
      Bytes.put(store, new BlockId(9, fresh.version(), 1), LARGE, Kind.DIRTY).close();
      store.drop(store.blocksOf(9, fresh.version()));
    }
  }

  private void fill(Kind kind) {
    try (DiskBlockStore store = open()) {
      Bytes.put(store, small, 1000, kind).close();
      Bytes.put(store, large, LARGE, kind).close();
      for (int i = 0; i < 50; i++) {
        Bytes.put(store, new BlockId(2, 1, i), 1000 + i, kind).close();
      }
    }
  }

  private DiskBlockStore open() {
    return new StoreFixture(top.resolve("d"), 64 << 20, 4096).open();
  }

  private List<Path> files(String part) throws IOException {
    try (var all = Files.walk(top.resolve("d").resolve(part))) {
      return all.filter(Files::isRegularFile).sorted().toList();
    }
  }

  private void flipInAll(String part, long offset) throws IOException {
    for (Path file : files(part)) {
      flip(file, offset);
    }
  }

  private static void flip(Path file, long offset) throws IOException {
    try (var channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      var one = ByteBuffer.allocate(1);
      channel.read(one, offset);
      one.put(0, (byte) (one.get(0) ^ 0x10)).rewind();
      channel.write(one, offset);
    }
  }

  private static void deleteAll(Path directory) throws IOException {
    try (var all = Files.walk(directory)) {
      for (Path each : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(each);
      }
    }
  }
}
