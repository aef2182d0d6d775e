package io.millrace.core.wire;

import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.MessageLite;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.io.IOException;
import java.io.UncheckedIOException;

/**
 * The bytes of one frame, little-endian; FORMATS.md "Wire". This layout and HELLO stay as they are
 * in every version of the protocol, as both are used before a version is agreed on.
 */
final class FrameFormat {
  /** Versions of the protocol that this build speaks. */
  static final int VERSION_MIN = 1;

  static final int VERSION_MAX = 1;

  static final int LENGTH_BYTES = 4;
  static final int PREFIX_BYTES = 20;
  static final int HEADER_MAX_BYTES = 1 << 20;
  static final int PAYLOAD_MAX_BYTES = 8 << 20;
  static final int LENGTH_MAX = PREFIX_BYTES - LENGTH_BYTES + HEADER_MAX_BYTES + PAYLOAD_MAX_BYTES;

  /** Before the peer has said HELLO: nobody unknown makes us reserve more. */
  static final int GREETING_LENGTH_MAX = 64 << 10;

  static final int ID = 4;
  static final int OP = 12;
  static final int FLAGS = 13;
  static final int RESERVED = 14;
  static final int HEADER_LENGTH = 16;

  static final int FLAG_REPLY = 1;

  private FrameFormat() {}

  /**
   * Prefix and header of a frame in one buffer of their exact size; the payload is sent behind it.
   *
   * @throws FsException EOVERFLOW over a limit
   */
  static ByteBuf encode(
      ByteBufAllocator allocator,
      long id,
      Op op,
      boolean reply,
      MessageLite header,
      long payloadBytes) {
    int headerBytes = header.getSerializedSize();
    if (headerBytes > HEADER_MAX_BYTES || payloadBytes > PAYLOAD_MAX_BYTES) {
      throw new FsException(
          Errno.EOVERFLOW,
          "message over the limit of the wire protocol",
          "op",
          op,
          "header",
          headerBytes,
          "payload",
          payloadBytes);
    }
    int size = PREFIX_BYTES + headerBytes;
    ByteBuf out = allocator.directBuffer(size, size);
    out.writeIntLE(size - LENGTH_BYTES + (int) payloadBytes);
    out.writeLongLE(id);
    out.writeByte(op.code());
    out.writeByte(reply ? FLAG_REPLY : 0);
    out.writeShortLE(0);
    out.writeIntLE(headerBytes);
    try {
      CodedOutputStream coded =
          CodedOutputStream.newInstance(out.nioBuffer(PREFIX_BYTES, headerBytes));
      header.writeTo(coded);
      coded.checkNoSpaceLeft();
    } catch (IOException e) {
      out.release();
      throw new UncheckedIOException(e);
    }
    return out.writerIndex(size);
  }
}
