package io.millrace.client.mount;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.millrace.blocks.BlockStoreConfig;
import io.millrace.blocks.DiskBlockStore;
import io.millrace.core.api.AdminHandler;
import io.millrace.core.api.ContentSource;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.core.cache.BufferPool;
import io.millrace.core.wire.LocalNodeChannel;
import io.millrace.core.wire.NodeChannel;
import io.millrace.meta.NamespaceConfig;
import io.millrace.meta.RocksNamespace;
import io.millrace.node.Node;
import io.millrace.node.NodeConfig;
import io.millrace.proto.AdminReply;
import io.millrace.proto.AdminRequest;
import io.millrace.proto.Inode;
import io.millrace.testkit.s3.ScratchDirectory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** One real node, namespace on RocksDB, blocks on disk, and as many mounts as a test asks for. */
final class RealNode {
  private static final ContentSource NO_BUCKET =
      (inode, index, offset, length, urgency) -> {
        throw new FsException(Errno.EIO, "there is no bucket here");
      };

  private static final class NoAdmin implements AdminHandler {
    @Override
    public AdminReply handle(AdminRequest request) {
      return AdminReply.getDefaultInstance();
    }

    @Override
    public String state(Inode inode) {
      return "own";
    }

    @Override
    public String reason(Inode inode) {
      return "";
    }
  }

  private record Mounted(Mount mount, NodeChannel channel) {}

  private final ScratchDirectory scratch;
  private final DiskBlockStore blocks;
  private final RocksNamespace namespace;
  private final BufferPool buffers;
  private final Node node;
  private final Map<String, Mounted> mounts = new LinkedHashMap<>();

  RealNode() throws Exception {
    scratch = ScratchDirectory.create("millrace-real");
    var pool = new BlockStoreConfig.Directory(directory("blocks"), 1L << 30);
    blocks =
        new DiskBlockStore(
            BlockStoreConfig.of(List.of(pool), 64 << 20, 32 << 20), InstantSource.system());
    namespace = new RocksNamespace(NamespaceConfig.of(directory("meta"), blocks::sync));
    buffers = new BufferPool(32 << 20);
    node =
        new Node(NodeConfig.named("test"), new Node.Parts(namespace, blocks, NO_BUCKET, buffers))
            .start(new NoAdmin());
  }

  Path directory(String name) throws Exception {
    return Files.createDirectories(scratch.path().resolve(name));
  }

  RocksNamespace namespace() {
    return namespace;
  }

  Map<String, Long> counters() {
    return node.counters();
  }

  Path mount(String name) throws Exception {
    return mount(name, false);
  }

  Path mount(String name, boolean syncOnClose) throws Exception {
    Path point = directory(name);
    NodeChannel channel = new LocalNodeChannel(node, name, false);
    var config = MountConfig.at(point).allowOther(true).syncOnClose(syncOnClose).build();
    mounts.put(name, new Mounted(Mount.start(config, channel), channel));
    return point;
  }

  /** The same session with another mount. */
  void remount(String name, MountConfig.Mode mode) throws Exception {
    Mounted before = mounts.get(name);
    before.mount.close();
    Mount after = Mount.start(MountConfig.at(directory(name)).mode(mode).build(), before.channel);
    mounts.put(name, new Mounted(after, before.channel));
  }

  void close() throws Exception {
    for (Mounted one : mounts.values()) {
      one.mount.close();
    }
    mounts.values().forEach(one -> one.channel.close());
    node.close();
    namespace.close();
    blocks.close();
    buffers.close();
    for (Mounted one : mounts.values()) {
      assertEquals(List.of(), one.mount.unflushed());
    }
    scratch.close();
  }
}
