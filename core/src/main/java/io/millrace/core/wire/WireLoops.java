package io.millrace.core.wire;

import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.util.concurrent.TimeUnit;

/**
 * The event loops and the buffer pool of one server or channel, which owns them. Epoll where the
 * system has it, else NIO. The pool's chunks are 16 MiB so that a frame with a payload of 4 MiB is
 * pooled too.
 */
final class WireLoops implements AutoCloseable {
  private static final int PAGE_BYTES = 8 << 10;
  private static final int CHUNK_ORDER = 11;

  private final EventLoopGroup group;
  private final PooledByteBufAllocator allocator;

  WireLoops(String threadName, int threads) {
    IoHandlerFactory io =
        Epoll.isAvailable() ? EpollIoHandler.newFactory() : NioIoHandler.newFactory();
    this.group =
        new MultiThreadIoEventLoopGroup(threads, new DefaultThreadFactory(threadName, true), io);
    this.allocator =
        new PooledByteBufAllocator(true, 0, threads, PAGE_BYTES, CHUNK_ORDER, 256, 64, false);
  }

  EventLoopGroup group() {
    return group;
  }

  PooledByteBufAllocator allocator() {
    return allocator;
  }

  Class<? extends ServerChannel> serverChannel() {
    return Epoll.isAvailable() ? EpollServerSocketChannel.class : NioServerSocketChannel.class;
  }

  Class<? extends SocketChannel> channel() {
    return Epoll.isAvailable() ? EpollSocketChannel.class : NioSocketChannel.class;
  }

  /** Bytes of receive and header buffers that somebody still holds. */
  long buffersInUseBytes() {
    return allocator.pinnedDirectMemory();
  }

  @Override
  public void close() {
    group.shutdownGracefully(0, 2, TimeUnit.SECONDS).awaitUninterruptibly(5, TimeUnit.SECONDS);
  }
}
