package io.millrace.blocks;

import io.millrace.core.api.BlockStore;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.io.TempDir;

class DiskBlockStoreContractTest {
  @TempDir(factory = InMemory.class)
  Path top;

  @Nested
  class OneDirectory extends BlockStoreContract {
    @Override
    BlockStore open() {
      return new DiskBlockStore(
          BlockStoreConfig.of(top.resolve("one"), 256 << 20, 16 << 20), InstantSource.system());
    }
  }

  @Nested
  class TwoDirectories extends BlockStoreContract {
    @Override
    BlockStore open() {
      var one = new BlockStoreConfig.Directory(top.resolve("one"), 64 << 20);
      var two = new BlockStoreConfig.Directory(top.resolve("two"), 256 << 20);
      return new DiskBlockStore(
          BlockStoreConfig.of(List.of(one, two), 16 << 20, 16 << 20), InstantSource.system());
    }
  }

  /** Nothing is admitted to memory but single pages: every read goes to the disk. */
  @Nested
  class HardlyAnyMemory extends BlockStoreContract {
    @Override
    BlockStore open() {
      return new DiskBlockStore(
          BlockStoreConfig.of(top.resolve("one"), 256 << 20, 4096), InstantSource.system());
    }
  }
}
