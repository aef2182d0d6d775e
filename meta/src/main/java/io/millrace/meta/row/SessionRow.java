package io.millrace.meta.row;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.core.api.Namespace.Session;
import io.millrace.proto.CommandResult;

/** A client's session, and the replies it may ask for again (H6). FORMATS.md, "Namespace". */
public final class SessionRow {
  private static final int FORMAT = 1;

  /** Replies kept per session; a row's slot is the sequence modulo this. */
  public static final int REPLY_WINDOW = 1024;

  private SessionRow() {}

  public static byte[] encode(int number, String client) {
    return new RowWriter()
        .u8(FORMAT)
        .varint(number)
        .rest(ByteString.copyFromUtf8(client).toByteArray())
        .take();
  }

  public static Session decode(byte[] key, byte[] value) {
    var row = new RowReader(value);
    row.format(FORMAT);
    return new Session(
        new RowReader(key, 1).u64(),
        row.smallVarint(),
        ByteString.copyFrom(row.rest()).toStringUtf8());
  }

  public static int slot(long sequence) {
    return (int) Long.remainderUnsigned(sequence, REPLY_WINDOW);
  }

  public static byte[] reply(long sequence, CommandResult result) {
    return new RowWriter(256).u8(FORMAT).varint(sequence).rest(result.toByteArray()).take();
  }

  public static long replySequence(byte[] value) {
    var row = new RowReader(value);
    row.format(FORMAT);
    return row.varint();
  }

  public static CommandResult replyResult(byte[] value) {
    var row = new RowReader(value);
    row.format(FORMAT);
    row.varint();
    try {
      return CommandResult.parseFrom(row.rest());
    } catch (InvalidProtocolBufferException e) {
      throw new FsException(e, Errno.EIO, "stored reply is damaged");
    }
  }
}
