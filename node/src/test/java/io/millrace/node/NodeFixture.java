package io.millrace.node;

import io.millrace.core.access.Squash;
import io.millrace.core.api.AdminHandler;
import io.millrace.core.api.ContentSource;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.core.cache.BufferPool;
import io.millrace.core.wire.ChannelConfig;
import io.millrace.core.wire.NettyNodeServer;
import io.millrace.core.wire.ServerConfig;
import io.millrace.meta.NamespaceConfig;
import io.millrace.meta.RocksNamespace;
import io.millrace.proto.AdminReply;
import io.millrace.proto.AdminRequest;
import io.millrace.proto.Inode;
import io.millrace.proto.PathAt;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** A node with a real namespace behind real TCP, which can be stopped and started. */
final class NodeFixture implements AutoCloseable {
  final MemoryBlocks blocks = new MemoryBlocks();
  final BufferPool buffers = new BufferPool(16 << 20);
  private final Path directory;
  private final int leaseMillis;
  private final Deque<TestClient> clients = new ArrayDeque<>();
  volatile ContentSource source =
      (inode, index, offset, length, urgency) -> {
        throw new FsException(Errno.EIO, "no bucket in this test");
      };
  RocksNamespace namespace;
  Node node;
  NettyNodeServer server;
  private int port;
  private final Squash squash;

  NodeFixture(Path directory, int leaseMillis) {
    this(directory, leaseMillis, Squash.NONE);
  }

  NodeFixture(Path directory, int leaseMillis, Squash squash) {
    this.squash = squash;
    this.directory = directory;
    this.leaseMillis = leaseMillis;
    start();
  }

  void start() {
    namespace = new RocksNamespace(NamespaceConfig.of(directory, blocks::sync));
    var parts =
        new Node.Parts(
            namespace,
            blocks,
            (inode, index, offset, length, urgency) ->
                source.load(inode, index, offset, length, urgency),
            buffers);
    node = new Node(config(leaseMillis), parts).start(new EchoAdmin());
    server = new NettyNodeServer(ServerConfig.loopback(port), node);
    port = server.port();
  }

  private NodeConfig config(int leaseMillis) {
    return new NodeConfig("test", leaseMillis, 60_000, 4, 1000, 1000, 1000, squash, 20);
  }

  void stop() {
    server.stopAccepting();
    node.close();
    server.close();
    namespace.close();
  }

  TestClient client(String name) {
    return client(ChannelConfig.session("127.0.0.1", port, name));
  }

  /** One that claims its locks again after a restart. */
  TestClient lockingClient(String name) {
    return client(ChannelConfig.session("127.0.0.1", port, name).withLocks(true));
  }

  private TestClient client(ChannelConfig config) {
    var client = new TestClient(config);
    clients.push(client);
    return client;
  }

  long count(String counter) {
    return node.counters().get(counter);
  }

  @Override
  public void close() {
    clients.forEach(TestClient::close);
    stop();
    buffers.close();
  }

  static void assertEventually(BooleanSupplier condition, String what) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(15);
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() > deadline) {
        throw new AssertionError("not within 15 s: " + what);
      }
      Thread.onSpinWait();
    }
  }

  private static final class EchoAdmin implements AdminHandler {
    @Override
    public AdminReply handle(AdminRequest request) {
      PathAt at = request.getPathAt();
      return AdminReply.newBuilder()
          .setPath(com.google.protobuf.ByteString.copyFromUtf8("/at/" + at.getIno()))
          .build();
    }

    @Override
    public String state(Inode inode) {
      return "cached";
    }

    @Override
    public String reason(Inode inode) {
      return "";
    }
  }
}
