package io.millrace.core.wire;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;
import io.millrace.core.api.Pinned;
import io.netty.buffer.ByteBuf;
import java.io.IOException;
import java.lang.foreign.MemorySegment;

/**
 * One frame as it was received, still in the receive buffer, of which it owns a reference. Exactly
 * one of {@link #release} and {@link #takePayload} gives that up.
 */
final class Frame {
  private final ByteBuf bytes;
  private final int headerBytes;

  /**
   * @param bytes one whole frame from its length on, already checked by {@link FrameReader}
   */
  Frame(ByteBuf bytes) {
    this.bytes = bytes;
    this.headerBytes = at(FrameFormat.HEADER_LENGTH);
  }

  long id() {
    return bytes.getLongLE(bytes.readerIndex() + FrameFormat.ID);
  }

  int opCode() {
    return bytes.getUnsignedByte(bytes.readerIndex() + FrameFormat.OP);
  }

  boolean reply() {
    return (bytes.getByte(bytes.readerIndex() + FrameFormat.FLAGS) & FrameFormat.FLAG_REPLY) != 0;
  }

  int payloadBytes() {
    return bytes.readableBytes() - FrameFormat.PREFIX_BYTES - headerBytes;
  }

  <T extends MessageLite> T header(Parser<T> parser) throws IOException {
    int start = bytes.readerIndex() + FrameFormat.PREFIX_BYTES;
    return parser.parseFrom(CodedInputStream.newInstance(bytes.nioBuffer(start, headerBytes)));
  }

  /** Valid until release. */
  MemorySegment payload() {
    int length = payloadBytes();
    return length == 0
        ? MemorySegment.NULL
        : MemorySegment.ofBuffer(bytes.nioBuffer(bytes.writerIndex() - length, length));
  }

  /** The payload, with the frame's reference; an empty one gives the buffer back at once. */
  Pinned takePayload() {
    if (payloadBytes() == 0) {
      release();
      return Pinned.EMPTY;
    }
    return new Payload(payload(), bytes);
  }

  void release() {
    bytes.release();
  }

  private int at(int offset) {
    return bytes.getIntLE(bytes.readerIndex() + offset);
  }

  private record Payload(MemorySegment bytes, ByteBuf owner) implements Pinned {
    @Override
    public void close() {
      owner.release();
    }
  }
}
