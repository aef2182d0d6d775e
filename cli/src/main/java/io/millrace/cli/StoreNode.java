package io.millrace.cli;

import io.millrace.blocks.BlockStoreConfig;
import io.millrace.blocks.DiskBlockStore;
import io.millrace.core.api.BlockId;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.core.cache.BufferPool;
import io.millrace.core.wire.NettyNodeServer;
import io.millrace.core.wire.RequestHandler;
import io.millrace.core.wire.ServerConfig;
import io.millrace.link.LinkConfig;
import io.millrace.link.LinkEngine;
import io.millrace.meta.NamespaceConfig;
import io.millrace.meta.RocksNamespace;
import io.millrace.node.Node;
import io.millrace.node.NodeConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/** A storage node with all its parts, wired here and nowhere else; closed in reverse. */
final class StoreNode implements AutoCloseable {
  /** Blocks on their way, and replies put together from several: four of the largest each. */
  static final long BUFFER_BYTES = 4L * BlockId.MAX_BYTES;

  private final Deque<AutoCloseable> parts = new ArrayDeque<>();
  private final Node node;
  private final NettyNodeServer server;
  private final String address;

  /**
   * @param plan for all of this process
   * @throws FsException EBUSY the directory is another node's; EADDRINUSE the port is taken; EACCES
   *     the directory can't be written
   */
  StoreNode(NodeOptions options, MemoryPlan plan) {
    this(options, plan, 0);
  }

  /**
   * @param session that a mount of this process goes on with (H17); 0: a new one
   */
  StoreNode(NodeOptions options, MemoryPlan plan, long session) {
    long borrowedBytes = plan.borrowedBytes();
    try {
      Path directory = makeDirectory(options.directory());
      var clock = InstantSource.system();
      var blocks =
          own(
              new DiskBlockStore(
                  BlockStoreConfig.of(
                      List.of(
                          new BlockStoreConfig.Directory(
                              directory.resolve("blocks"), options.capacityBytes())),
                      plan.l1Bytes(),
                      BUFFER_BYTES + borrowedBytes),
                  clock));
      var namespace =
          own(new RocksNamespace(NamespaceConfig.of(directory.resolve("meta-0000"), blocks::sync)));
      var buffers = own(new BufferPool(BUFFER_BYTES + borrowedBytes));
      var late = new LateSource();
      node =
          own(
              new Node(
                  NodeConfig.named(options.name())
                      .withLeaseMillis(options.leaseMillis())
                      .withSquash(options.squash()),
                  new Node.Parts(namespace, blocks, late, buffers)));
      var links =
          own(
              new LinkEngine(
                  namespace,
                  blocks,
                  new LinkedBuckets(),
                  node.notifier(),
                  clock,
                  new SecureRandom(),
                  LinkConfig.DEFAULT.withReaderDeadline(options.readDeadline())));
      late.set(links.loader());
      node.start(new NodeAdmin(options, links, namespace, blocks, node), session);
      links.start();
      server = own(new NettyNodeServer(ServerConfig.on(options.host(), options.port()), node));
      address = options.host() + ":" + server.port();
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  private <T extends AutoCloseable> T own(T part) {
    parts.push(part);
    return part;
  }

  private static Path makeDirectory(Path directory) {
    try {
      return Files.createDirectories(directory);
    } catch (IOException e) {
      throw new FsException(
          e,
          Errno.EACCES,
          "can't make the node's directory; choose another with --dir",
          "directory",
          directory);
    }
  }

  /** HOST:PORT it listens on. */
  String address() {
    return address;
  }

  /** For a mount in this process. */
  RequestHandler handler() {
    return node;
  }

  @Override
  public void close() {
    while (!parts.isEmpty()) {
      AutoCloseable part = parts.pop();
      try {
        part.close();
      } catch (Exception e) {
        System.getLogger(StoreNode.class.getName())
            .log(System.Logger.Level.WARNING, "could not close " + part, e);
      }
    }
  }
}
