package io.millrace.core.wire;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;

/**
 * Cuts the byte stream of one line into frames. Owned by the line's event loop. A frame that lies
 * whole in the receive buffer is handed on as a slice of it; one that doesn't is gathered in a
 * buffer of its exact size, so each byte is copied at most once. A length outside the limits ends
 * the line: after it nothing can be found in the stream again.
 */
final class FrameReader extends ChannelInboundHandlerAdapter {
  private int lengthMax = FrameFormat.GREETING_LENGTH_MAX;

  /** A frame whose end has not come; its capacity is what was announced. */
  private ByteBuf partial;

  /** Fewer than four bytes of a length. */
  private int lengthSoFar;

  private int lengthBytesSoFar;
  private boolean broken;

  /** The peer is known now: frames may be large. */
  void greeted() {
    lengthMax = FrameFormat.LENGTH_MAX;
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    ByteBuf in = (ByteBuf) message;
    try {
      while (!broken && in.isReadable()) {
        cut(context, in);
      }
    } finally {
      in.release();
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    drop();
    context.fireChannelInactive();
  }

  @Override
  public void handlerRemoved(ChannelHandlerContext context) {
    drop();
  }

  private void cut(ChannelHandlerContext context, ByteBuf in) {
    if (partial != null) {
      gather(context, in);
    } else if (lengthBytesSoFar > 0 || in.readableBytes() < FrameFormat.LENGTH_BYTES) {
      splitLength(context, in);
    } else {
      begin(context, in);
    }
  }

  private void begin(ChannelHandlerContext context, ByteBuf in) {
    int length = in.getIntLE(in.readerIndex());
    if (!sane(context, length)) {
      return;
    }
    int size = FrameFormat.LENGTH_BYTES + length;
    if (in.readableBytes() >= size) {
      pass(context, in.readRetainedSlice(size));
    } else {
      partial = context.alloc().directBuffer(size, size);
      partial.writeBytes(in);
    }
  }

  private void splitLength(ChannelHandlerContext context, ByteBuf in) {
    lengthSoFar |= in.readUnsignedByte() << (8 * lengthBytesSoFar);
    lengthBytesSoFar++;
    if (lengthBytesSoFar < FrameFormat.LENGTH_BYTES) {
      return;
    }
    int length = lengthSoFar;
    lengthSoFar = 0;
    lengthBytesSoFar = 0;
    if (sane(context, length)) {
      int size = FrameFormat.LENGTH_BYTES + length;
      partial = context.alloc().directBuffer(size, size);
      partial.writeIntLE(length);
    }
  }

  private void gather(ChannelHandlerContext context, ByteBuf in) {
    in.readBytes(partial, Math.min(in.readableBytes(), partial.writableBytes()));
    if (!partial.isWritable()) {
      ByteBuf whole = partial;
      partial = null;
      pass(context, whole);
    }
  }

  private void pass(ChannelHandlerContext context, ByteBuf frame) {
    int length = frame.readableBytes() - FrameFormat.PREFIX_BYTES;
    int header = frame.getIntLE(frame.readerIndex() + FrameFormat.HEADER_LENGTH);
    if (header < 0
        || header > length
        || header > FrameFormat.HEADER_MAX_BYTES
        || length - header > FrameFormat.PAYLOAD_MAX_BYTES) {
      frame.release();
      cutLine(context);
      return;
    }
    context.fireChannelRead(new Frame(frame));
  }

  private boolean sane(ChannelHandlerContext context, int length) {
    boolean sane =
        length >= FrameFormat.PREFIX_BYTES - FrameFormat.LENGTH_BYTES && length <= lengthMax;
    if (!sane) {
      cutLine(context);
    }
    return sane;
  }

  private void cutLine(ChannelHandlerContext context) {
    broken = true;
    var _ = context.close();
  }

  private void drop() {
    broken = true;
    if (partial != null) {
      partial.release();
      partial = null;
    }
  }
}
