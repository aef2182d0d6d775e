package io.millrace.core.wire;

import com.google.protobuf.MessageLite;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.io.IOException;
import java.lang.foreign.MemorySegment;

/**
 * One request that has no answer yet. Keeps what is needed to send it again on another line. Its
 * callback runs once, as it leaves the channel's table once.
 */
final class PendingCall {
  private static final System.Logger LOG = System.getLogger(PendingCall.class.getName());

  final long id;
  final Op op;

  /** Took a permit of the channel, to be given back. */
  final boolean counted;

  private final MessageLite header;
  private final MemorySegment payload;
  private final NodeChannel.Callback callback;

  /** When it was last sent: an answer proves that the node heard from us no earlier. */
  private volatile long sentNanos;

  PendingCall(
      long id,
      Op op,
      MessageLite header,
      MemorySegment payload,
      NodeChannel.Callback callback,
      boolean counted) {
    this.id = id;
    this.op = op;
    this.header = header;
    this.payload = payload;
    this.callback = callback;
    this.counted = counted;
  }

  ByteBuf encode(ByteBufAllocator allocator) {
    return FrameFormat.encode(
        allocator, id, op, false, header, payload == null ? 0 : payload.byteSize());
  }

  void send(Outbox outbox, ByteBuf head) {
    sentNanos = System.nanoTime();
    outbox.send(head, payload, () -> {});
  }

  long sentNanos() {
    return sentNanos;
  }

  /** Changes the session's state: its answer is only true for the session it was asked in. */
  boolean mutation() {
    return op == Op.MUTATE || op == Op.WRITE;
  }

  /** Takes over the frame. */
  void answer(Frame frame) {
    try {
      Op answer = Op.of(frame.opCode());
      if (answer == Op.ERROR) {
        var reply = (io.millrace.proto.ErrorReply) frame.header(Op.ERROR.reply());
        frame.release();
        fail(ErrorReplies.failure(reply));
        return;
      }
      if (answer != op) {
        throw new IOException("reply to " + op + " is " + answer);
      }
      MessageLite reply = frame.header(op.reply());
      run(() -> callback.done(new NodeChannel.Reply(reply, frame.takePayload())));
    } catch (IOException e) {
      frame.release();
      fail(new FsException(e, Errno.EPROTO, "the node's reply can't be read", "op", op));
    }
  }

  void fail(FsException failure) {
    run(() -> callback.failed(failure));
  }

  private void run(Runnable body) {
    try {
      body.run();
    } catch (RuntimeException e) {
      LOG.log(System.Logger.Level.ERROR, "callback failed: " + op, e);
    }
  }
}
