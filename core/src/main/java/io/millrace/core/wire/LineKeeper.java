package io.millrace.core.wire;

import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.proto.Empty;
import io.millrace.proto.Welcome;
import io.netty.bootstrap.Bootstrap;
import io.netty.channel.AdaptiveRecvByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Keeps one channel's line up and its lease renewed: connects again after a break, for ever, with a
 * pause that doubles from 50 ms to 1 s; renews after a third of the lease without an answer; gives
 * the alarm once at two thirds (H9). Runs on one event loop, which also carries the line.
 */
final class LineKeeper {
  private static final long BACKOFF_MIN_MILLIS = 50;
  private static final long BACKOFF_MAX_MILLIS = 1000;
  private static final int CONNECT_TIMEOUT_MILLIS = 3000;

  private final ChannelConfig config;
  private final NettyNodeChannel channel;
  private final EventLoop loop;
  private final Bootstrap bootstrap;

  /** Send time of the latest request that was answered: the node heard from us no earlier. */
  private final AtomicLong heardNanos = new AtomicLong(System.nanoTime());

  private final AtomicBoolean renewing = new AtomicBoolean();
  private volatile boolean stopped;

  // Owned by the event loop.
  private long backoffMillis = BACKOFF_MIN_MILLIS;
  private long helloNanos;
  private long leaseNanos;
  private boolean atRisk;

  LineKeeper(ChannelConfig config, WireLoops loops, NettyNodeChannel channel) {
    this.config = config;
    this.channel = channel;
    this.loop = loops.group().next();
    this.bootstrap =
        new Bootstrap()
            .group(loop)
            .channel(loops.channel())
            .option(ChannelOption.TCP_NODELAY, true)
            .option(ChannelOption.SO_KEEPALIVE, true)
            .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, CONNECT_TIMEOUT_MILLIS)
            .option(ChannelOption.ALLOCATOR, loops.allocator())
            .option(
                ChannelOption.RECVBUF_ALLOCATOR,
                new AdaptiveRecvByteBufAllocator(2 << 10, 16 << 10, 256 << 10))
            .remoteAddress(config.host(), config.port())
            .handler(
                new ChannelInitializer<>() {
                  @Override
                  protected void initChannel(Channel line) {
                    var frames = new FrameReader();
                    line.pipeline()
                        .addLast(frames, new ClientLine(channel, LineKeeper.this, frames, line));
                  }
                });
  }

  boolean onLoop() {
    return loop.inEventLoop();
  }

  /** The first line comes at once or not at all. */
  void connectFirst() {
    ChannelFuture connected = bootstrap.connect().awaitUninterruptibly();
    if (!connected.isSuccess()) {
      throw new FsException(
          connected.cause(),
          connected.cause() instanceof io.netty.channel.ConnectTimeoutException
              ? Errno.ETIMEDOUT
              : Errno.ECONNREFUSED,
          "no node answers: start one with `millrace node` or name another with --server",
          "address",
          channel.node(),
          "cause",
          connected.cause().getMessage());
    }
  }

  void stop() {
    stopped = true;
  }

  void helloSent() {
    helloNanos = System.nanoTime();
  }

  void heard(long sentNanos) {
    heardNanos.accumulateAndGet(sentNanos, (a, b) -> a - b > 0 ? a : b);
  }

  /**
   * The node answered HELLO.
   *
   * @param lost the node knows of no lease of ours
   */
  void inTouch(Welcome welcome, boolean lost, NodeChannel.NoticeListener listener) {
    boolean first = leaseNanos == 0;
    backoffMillis = BACKOFF_MIN_MILLIS;
    leaseNanos = TimeUnit.MILLISECONDS.toNanos(Math.max(1, welcome.getLeaseMs()));
    heard(helloNanos);
    if (lost || atRisk) {
      atRisk = false;
      listener.leasesLost();
    }
    if (first && !config.admin()) {
      long period = Math.max(1, leaseNanos / 12);
      var _ = loop.scheduleAtFixedRate(this::tick, period, period, TimeUnit.NANOSECONDS);
    }
  }

  void lineLost() {
    if (!stopped && !config.admin() && channel.welcomedBefore()) {
      var _ = loop.schedule(this::connectAgain, backoffMillis, TimeUnit.MILLISECONDS);
      backoffMillis = Math.min(BACKOFF_MAX_MILLIS, backoffMillis * 2);
    }
  }

  private void connectAgain() {
    if (stopped) {
      return;
    }
    bootstrap
        .connect()
        .addListener(
            future -> {
              if (!future.isSuccess()) {
                lineLost();
              }
            });
  }

  private void tick() {
    if (stopped) {
      return;
    }
    long silence = System.nanoTime() - heardNanos.get();
    if (silence >= leaseNanos / 3 * 2 && !atRisk) {
      atRisk = true;
      channel.listener().leaseAtRisk();
    } else if (atRisk && silence < leaseNanos / 3) {
      atRisk = false; // it answered after all, on the same line
      channel.listener().leasesLost();
    }
    if (silence >= leaseNanos / 3 - leaseNanos / 12 && renewing.compareAndSet(false, true)) {
      channel.call(Op.RENEW, Empty.getDefaultInstance(), null, new Renewal());
    }
  }

  private final class Renewal implements NodeChannel.Callback {
    @Override
    public void done(NodeChannel.Reply reply) {
      reply.close();
      renewing.set(false);
    }

    @Override
    public void failed(FsException failure) {
      renewing.set(false);
    }
  }
}
