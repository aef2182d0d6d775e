package io.millrace.core.wire;

import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.AdaptiveRecvByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.util.concurrent.GlobalEventExecutor;
import java.net.InetSocketAddress;
import java.util.concurrent.TimeUnit;

/**
 * Listens for clients and hands their requests to the node. A request is handed over on the event
 * loop of its connection; the answer may come from any thread.
 */
public final class NettyNodeServer implements AutoCloseable {
  private final WireLoops loops;
  private final ChannelGroup connections = new DefaultChannelGroup(GlobalEventExecutor.INSTANCE);
  private final Channel listening;

  /**
   * Listens from here on.
   *
   * @throws FsException EADDRINUSE the port is taken; EINVAL the address can't be listened on
   */
  public NettyNodeServer(ServerConfig config, RequestHandler handler) {
    this.loops = new WireLoops("millrace-node", config.loopThreads());
    try {
      this.listening = listen(config, handler);
    } catch (RuntimeException e) {
      loops.close();
      throw e;
    }
  }

  public int port() {
    return ((InetSocketAddress) listening.localAddress()).getPort();
  }

  public int connections() {
    return connections.size();
  }

  /** Receive and header buffers in use, for metrics and leak tests. */
  public long buffersInUseBytes() {
    return loops.buffersInUseBytes();
  }

  /** Takes no new connections; those that are there go on. */
  public void stopAccepting() {
    listening.close().awaitUninterruptibly(2, TimeUnit.SECONDS);
  }

  @Override
  public void close() {
    stopAccepting();
    connections.close().awaitUninterruptibly(2, TimeUnit.SECONDS);
    loops.close();
  }

  private Channel listen(ServerConfig config, RequestHandler handler) {
    ChannelFuture bound =
        new ServerBootstrap()
            .group(loops.group())
            .channel(loops.serverChannel())
            .option(ChannelOption.SO_REUSEADDR, true)
            .option(ChannelOption.SO_BACKLOG, 1024)
            .childOption(ChannelOption.TCP_NODELAY, true)
            .childOption(ChannelOption.SO_KEEPALIVE, true)
            .childOption(ChannelOption.ALLOCATOR, loops.allocator())
            .childOption(
                ChannelOption.RECVBUF_ALLOCATOR,
                new AdaptiveRecvByteBufAllocator(2 << 10, 16 << 10, 256 << 10))
            .childHandler(accept(config, handler))
            .bind(config.host(), config.port())
            .awaitUninterruptibly();
    if (!bound.isSuccess()) {
      throw refused(config, bound.cause());
    }
    return bound.channel();
  }

  private ChannelInitializer<Channel> accept(ServerConfig config, RequestHandler handler) {
    return new ChannelInitializer<>() {
      @Override
      protected void initChannel(Channel channel) {
        if (connections.size() >= config.connectionsMax()) {
          var _ = channel.close();
          return;
        }
        connections.add(channel);
        var frames = new FrameReader();
        channel.pipeline().addLast(frames, new ServerConnection(channel, frames, config, handler));
      }
    };
  }

  private static FsException refused(ServerConfig config, Throwable cause) {
    String address = config.host() + ":" + config.port();
    String text = String.valueOf(cause.getMessage());
    if (text.contains("in use")) { // epoll's exception has no type of its own for it
      return new FsException(
          cause,
          Errno.EADDRINUSE,
          "the port is taken: is another node running there? Choose another with --listen",
          "address",
          address,
          "cause",
          text);
    }
    return new FsException(
        cause, Errno.EINVAL, "can't listen on this address", "address", address, "cause", text);
  }
}
