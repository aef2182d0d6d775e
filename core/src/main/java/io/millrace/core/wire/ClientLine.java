package io.millrace.core.wire;

import io.millrace.proto.ErrorReply;
import io.millrace.proto.Notice;
import io.millrace.proto.Welcome;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.io.IOException;
import java.util.concurrent.TimeUnit;

/**
 * The client's end of one TCP connection, from HELLO to its end; the channel outlives it. Owned by
 * its event loop.
 */
final class ClientLine extends ChannelInboundHandlerAdapter {
  private static final System.Logger LOG = System.getLogger(ClientLine.class.getName());

  private static final long HELLO_TIMEOUT_SECONDS = 10;

  private final NettyNodeChannel owner;
  private final LineKeeper keeper;
  private final FrameReader frames;
  private final Channel channel;
  private final Outbox outbox;
  private boolean welcomed;

  ClientLine(NettyNodeChannel owner, LineKeeper keeper, FrameReader frames, Channel channel) {
    this.owner = owner;
    this.keeper = keeper;
    this.frames = frames;
    this.channel = channel;
    this.outbox = new Outbox(channel);
  }

  Outbox outbox() {
    return outbox;
  }

  void closeNow() {
    var _ = channel.close();
  }

  @Override
  public void channelActive(ChannelHandlerContext context) {
    keeper.helloSent();
    outbox.send(
        FrameFormat.encode(channel.alloc(), 0, Op.HELLO, false, owner.hello(), 0), null, () -> {});
    var _ =
        channel.eventLoop().schedule(this::giveUpGreeting, HELLO_TIMEOUT_SECONDS, TimeUnit.SECONDS);
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    outbox.readBegins();
    Frame frame = (Frame) message;
    if (!welcomed) {
      greeting(frame);
    } else if (frame.reply()) {
      owner.answered(frame);
    } else {
      pushed(frame);
    }
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext context) {
    outbox.readEnds();
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    owner.lineLost(this);
    keeper.lineLost();
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    if (!(cause instanceof IOException)) {
      LOG.log(System.Logger.Level.WARNING, "line to the node failed: " + owner.node(), cause);
    }
    var _ = context.close();
  }

  private void giveUpGreeting() {
    if (!welcomed) {
      closeNow();
    }
  }

  private void greeting(Frame frame) {
    try {
      if (frame.opCode() == Op.ERROR.code()) {
        ErrorReply reply = frame.header(ErrorReply.parser());
        owner.refused(ErrorReplies.failure(reply));
        closeNow();
      } else if (frame.opCode() == Op.HELLO.code()) {
        Welcome welcome = frame.header(Welcome.parser());
        welcomed = true;
        frames.greeted();
        owner.welcomed(this, welcome);
      } else {
        closeNow();
      }
    } catch (IOException e) {
      closeNow();
    } finally {
      frame.release();
    }
  }

  private void pushed(Frame frame) {
    try {
      if (frame.opCode() == Op.NOTICE.code()) {
        owner.noticed(frame.header(Notice.parser()));
      }
    } catch (IOException e) {
      LOG.log(System.Logger.Level.WARNING, "notice can't be read: " + owner.node(), e);
      closeNow();
    } finally {
      frame.release();
    }
  }
}
