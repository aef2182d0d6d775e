package io.millrace.core.wire;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import java.lang.foreign.MemorySegment;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Frames on their way to one line, from any thread. What many threads hand in is written by one
 * task and flushed together; what the event loop itself hands in while it reads is flushed when it
 * has read all there is. Bounded by the requests in flight of its owner.
 */
final class Outbox {
  private static final int BATCH = 256;

  private final Channel channel;
  private final Queue<Outgoing> queue = new ConcurrentLinkedQueue<>();
  private final AtomicBoolean scheduled = new AtomicBoolean();

  // Owned by the event loop.
  private boolean reading;
  private boolean unflushed;

  /**
   * @param payload null for none
   * @param gone run when the bytes were written, or never will be
   */
  private record Outgoing(ByteBuf head, ByteBuf payload, Runnable gone) {}

  Outbox(Channel channel) {
    this.channel = channel;
  }

  /**
   * @param head given to the outbox
   * @param payload stays valid until {@code gone} ran
   */
  void send(ByteBuf head, MemorySegment payload, Runnable gone) {
    var outgoing = new Outgoing(head, wrap(payload), gone);
    if (channel.eventLoop().inEventLoop()) {
      write(outgoing);
      if (!reading) {
        schedule();
      }
    } else {
      queue.add(outgoing);
      schedule();
    }
  }

  /** The event loop begins to hand in what one read brought. */
  void readBegins() {
    reading = true;
  }

  void readEnds() {
    reading = false;
    flush();
  }

  private static ByteBuf wrap(MemorySegment payload) {
    return payload == null || payload.byteSize() == 0
        ? null
        : Unpooled.wrappedBuffer(payload.asByteBuffer());
  }

  private void schedule() {
    if (scheduled.compareAndSet(false, true)) {
      try {
        channel.eventLoop().execute(this::drain);
      } catch (RejectedExecutionException e) {
        dropAll();
      }
    }
  }

  private void drain() {
    scheduled.set(false);
    for (int i = 0; i < BATCH; i++) {
      Outgoing next = queue.poll();
      if (next == null) {
        flush();
        return;
      }
      write(next);
    }
    flush();
    schedule();
  }

  private void flush() {
    if (unflushed) {
      unflushed = false;
      channel.flush();
    }
  }

  private void write(Outgoing outgoing) {
    unflushed = true;
    ChannelFutureListener done = future -> outgoing.gone.run();
    if (outgoing.payload == null) {
      channel.write(outgoing.head).addListener(done);
    } else {
      var _ = channel.write(outgoing.head, channel.voidPromise());
      channel.write(outgoing.payload).addListener(done);
    }
  }

  private void dropAll() {
    for (Outgoing next = queue.poll(); next != null; next = queue.poll()) {
      next.head.release();
      if (next.payload != null) {
        next.payload.release();
      }
      next.gone.run();
    }
  }
}
