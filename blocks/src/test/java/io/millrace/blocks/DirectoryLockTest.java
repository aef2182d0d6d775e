package io.millrace.blocks;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.core.api.BlockId;
import io.millrace.core.api.BlockStore.Kind;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DirectoryLockTest {
  @TempDir(factory = InMemory.class)
  Path top;

  @Test
  void aDirectoryInUseIsRefusedWithThePidAndTheWayOut() {
    var fixture = new StoreFixture(top.resolve("d"), 64 << 20, 4096);
    try (DiskBlockStore store = fixture.open()) {
      FsException busy = assertThrows(FsException.class, fixture::open);
      assertEquals(Errno.EBUSY, busy.errno());
      assertTrue(busy.getMessage().contains("pid=" + ProcessHandle.current().pid()));
      assertTrue(busy.getMessage().contains("stop that one"));
      Bytes.put(store, new BlockId(1, 1, 0), 100, Kind.DIRTY).close();
    }
    fixture.open().close();
  }

  @Test
  void anUnknownFormatIsRefused() throws Exception {
    var fixture = new StoreFixture(top.resolve("d"), 64 << 20, 4096);
    fixture.open().close();
    Files.writeString(top.resolve("d/format"), "millrace blocks 99\n");
    BlockStoreContract.assertErrno(Errno.EINVAL, fixture::open);
    Files.writeString(top.resolve("d/format"), "millrace blocks 1\n");
    fixture.open().close();
  }
}
