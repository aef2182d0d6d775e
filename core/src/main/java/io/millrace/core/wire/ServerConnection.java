package io.millrace.core.wire;

import com.google.protobuf.MessageLite;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.core.api.Pinned;
import io.millrace.proto.ErrorReply;
import io.millrace.proto.Hello;
import io.millrace.proto.Notice;
import io.millrace.proto.Welcome;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The node's end of one line. Requests arrive on its event loop; answers come from any thread.
 * Nothing but HELLO is served before HELLO was answered, so the version is agreed on first. Reading
 * stops while too much is unanswered.
 */
final class ServerConnection extends ChannelInboundHandlerAdapter implements RequestHandler.Peer {
  private static final System.Logger LOG = System.getLogger(ServerConnection.class.getName());

  private final Channel channel;
  private final FrameReader frames;
  private final ServerConfig config;
  private final RequestHandler handler;
  private final Outbox outbox;
  private final AtomicInteger requestsInFlight = new AtomicInteger();
  private final AtomicLong payloadInFlight = new AtomicLong();
  private volatile Object attachment;

  // Owned by the event loop.
  private boolean helloSeen;
  private boolean welcomed;
  private volatile boolean paused;

  ServerConnection(
      Channel channel, FrameReader frames, ServerConfig config, RequestHandler handler) {
    this.channel = channel;
    this.frames = frames;
    this.config = config;
    this.handler = handler;
    this.outbox = new Outbox(channel);
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    outbox.readBegins();
    Frame frame = (Frame) message;
    var responder = new WireResponder(frame);
    if (frame.reply()) {
      responder.drop();
      close();
    } else if (welcomed) {
      serve(frame, responder);
    } else {
      greet(frame, responder);
    }
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext context) {
    outbox.readEnds();
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    handler.closed(this);
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    if (!(cause instanceof IOException)) {
      LOG.log(System.Logger.Level.WARNING, "line failed: " + name(), cause);
    }
    var _ = context.close();
  }

  @Override
  public void push(Notice notice) {
    outbox.send(
        FrameFormat.encode(channel.alloc(), 0, Op.NOTICE, false, notice, 0), null, () -> {});
  }

  @Override
  public void attach(Object state) {
    attachment = state;
  }

  @Override
  public Object attachment() {
    return attachment;
  }

  @Override
  public boolean mayBlock() {
    return false;
  }

  @Override
  public String name() {
    return String.valueOf(channel.remoteAddress());
  }

  @Override
  public void close() {
    var _ = channel.close();
  }

  private void serve(Frame frame, WireResponder responder) {
    Op op = Op.of(frame.opCode());
    if (op == null || op == Op.HELLO || op == Op.NOTICE || op == Op.ERROR) {
      responder.fail(
          new FsException(Errno.ENOSYS, "no such operation here", "code", frame.opCode()));
      return;
    }
    try {
      hand(op, frame.header(op.request()), frame.payload(), responder);
    } catch (IOException e) {
      responder.fail(new FsException(e, Errno.EBADMSG, "header can't be read", "op", op));
    }
  }

  private void hand(Op op, MessageLite header, MemorySegment payload, WireResponder responder) {
    try {
      handler.handle(this, op, header, payload, responder);
    } catch (FsException e) {
      responder.fail(e);
    } catch (RuntimeException e) {
      LOG.log(System.Logger.Level.ERROR, "request failed: " + op, e);
      responder.fail(new FsException(e, Errno.EIO, "the node failed on this request", "op", op));
    }
  }

  private void greet(Frame frame, WireResponder responder) {
    if (helloSeen || frame.opCode() != Op.HELLO.code()) {
      responder.drop();
      close();
      return;
    }
    helloSeen = true;
    try {
      Hello hello = frame.header(Hello.parser());
      if (hello.getVersionMin() > FrameFormat.VERSION_MAX
          || hello.getVersionMax() < FrameFormat.VERSION_MIN) {
        responder.fail(noCommonVersion(hello));
      } else {
        responder.agreed = Math.min(hello.getVersionMax(), FrameFormat.VERSION_MAX);
        hand(Op.HELLO, hello, MemorySegment.NULL, responder);
      }
    } catch (IOException e) {
      responder.drop();
      close();
    }
  }

  private static FsException noCommonVersion(Hello hello) {
    return new FsException(
        Errno.EPROTO,
        "client and node speak different versions of the protocol: bring the older one up to date",
        "client",
        hello.getVersionMin() + "-" + hello.getVersionMax(),
        "node",
        FrameFormat.VERSION_MIN + "-" + FrameFormat.VERSION_MAX);
  }

  /** Its own first reply, on the event loop: what the client sends after it is served. */
  private void welcome() {
    welcomed = true;
    frames.greeted();
  }

  private void arrived(int payloadBytes) {
    int requests = requestsInFlight.incrementAndGet();
    long bytes = payloadInFlight.addAndGet(payloadBytes);
    if (requests >= config.requestsInFlightMax() || bytes >= config.payloadInFlightMaxBytes()) {
      paused = true;
      channel.config().setAutoRead(false);
      resumeWhenLow(); // what was in flight may have left before the pause could be seen
    }
  }

  private void left(int payloadBytes) {
    requestsInFlight.decrementAndGet();
    payloadInFlight.addAndGet(-payloadBytes);
    if (paused) {
      resumeWhenLow();
    }
  }

  private void resumeWhenLow() {
    if (requestsInFlight.get() <= config.requestsInFlightMax() / 2
        && payloadInFlight.get() <= config.payloadInFlightMaxBytes() / 2) {
      paused = false;
      channel.config().setAutoRead(true);
    }
  }

  /** Answers one request, once; keeps its frame until then. */
  private final class WireResponder implements RequestHandler.Responder {
    private final Frame frame;
    private final long id;
    private final int payloadBytes;
    private final AtomicBoolean answered = new AtomicBoolean();
    private int agreed;

    WireResponder(Frame frame) {
      this.frame = frame;
      this.id = frame.id();
      this.payloadBytes = frame.payloadBytes();
      arrived(payloadBytes);
    }

    @Override
    public void reply(MessageLite header, Pinned payload) {
      if (!answered.compareAndSet(false, true)) {
        closeQuietly(payload);
        throw new IllegalStateException("answered twice");
      }
      if (header instanceof Welcome welcome) {
        replyWelcome(welcome);
        return;
      }
      Op op = Op.of(frame.opCode());
      frame.release();
      send(op, header, payload);
    }

    @Override
    public void fail(FsException failure) {
      if (!answered.compareAndSet(false, true)) {
        return;
      }
      frame.release();
      send(Op.ERROR, ErrorReplies.of(failure), null);
    }

    /** The line is given up: no answer. */
    void drop() {
      if (answered.compareAndSet(false, true)) {
        frame.release();
        left(payloadBytes);
      }
    }

    private void replyWelcome(Welcome welcome) {
      frame.release();
      Welcome stamped = welcome.toBuilder().setVersion(agreed).build();
      if (channel.eventLoop().inEventLoop()) {
        ServerConnection.this.welcome();
      } else {
        channel.eventLoop().execute(ServerConnection.this::welcome);
      }
      send(Op.HELLO, stamped, null);
    }

    private void send(Op op, MessageLite header, Pinned payload) {
      MemorySegment bytes = payload == null ? null : payload.bytes();
      ByteBuf head;
      try {
        long length = bytes == null ? 0 : bytes.byteSize();
        head = FrameFormat.encode(channel.alloc(), id, op, true, header, length);
      } catch (FsException e) {
        closeQuietly(payload);
        ErrorReply error = ErrorReplies.of(e);
        outbox.send(
            FrameFormat.encode(channel.alloc(), id, Op.ERROR, true, error, 0),
            null,
            () -> left(payloadBytes));
        return;
      }
      outbox.send(
          head,
          bytes,
          () -> {
            closeQuietly(payload);
            left(payloadBytes);
          });
    }

    private static void closeQuietly(Pinned payload) {
      if (payload != null) {
        payload.close();
      }
    }
  }
}
