package io.millrace.blocks;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.core.api.BlockId;
import io.millrace.core.api.BlockStore.Kind;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.core.api.Pinned;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The file system is full before the capacity is reached: a tmpfs of 24 MiB. */
@Tag("mount")
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class FullDiskTest {
  private static final int LARGE = 512 << 10;

  @TempDir Path top;

  @BeforeEach
  void mount() throws Exception {
    boolean root = "root".equals(System.getProperty("user.name"));
    Assumptions.assumeTrue(root, "mounting a tmpfs needs root");
    assertEquals(0, run("mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", top.toString()));
  }

  @AfterEach
  void unmount() throws Exception {
    if (Files.getFileStore(top).type().equals("tmpfs")) {
      assertEquals(0, run("umount", top.toString()));
    }
  }

  @Test
  void dirtyBlocksPushOutCleanOnesAndThenGetNoSpace() {
    var fixture = new StoreFixture(top.resolve("d"), 256 << 20, 4096);
    var dirty = new ArrayList<BlockId>();
    try (DiskBlockStore store = fixture.open()) {
      for (int i = 0; i < 80; i++) {
        var id = new BlockId(1, 1, i);
        try (Pinned served = Bytes.put(store, id, LARGE, Kind.CLEAN)) {
          Bytes.check(id, 0, served.bytes());
        }
      }
      assertTrue(store.counters().notKeptBlocks() > 0);
      FsException full = null;
      for (int i = 0; i < 200 && full == null; i++) {
        var id = new BlockId(2, 1, i);
        try {
          Bytes.put(store, id, i % 2 == 0 ? LARGE : 30_000, Kind.DIRTY).close();
          dirty.add(id);
        } catch (FsException failure) {
          full = failure;
        }
      }
      assertEquals(Errno.ENOSPC, full.errno());
      assertTrue(dirty.size() > 40, "room for " + dirty.size());
      checkAll(store, dirty);
      store.drop(dirty.subList(0, 10));
      Bytes.put(store, new BlockId(3, 1, 0), LARGE, Kind.DIRTY).close();
    }
    try (DiskBlockStore store = fixture.open()) {
      checkAll(store, new ArrayList<>(dirty.subList(10, dirty.size())));
    }
  }

  private static void checkAll(DiskBlockStore store, List<BlockId> ids) {
    for (BlockId id : ids) {
      int length = id.index() % 2 == 0 ? LARGE : 30_000;
      try (Pinned read = store.read(id, 0, length).orElseThrow()) {
        Bytes.check(id, 0, read.bytes());
      }
    }
  }

  private static int run(String... command) throws IOException, InterruptedException {
    return new ProcessBuilder(command).inheritIO().start().waitFor();
  }
}
