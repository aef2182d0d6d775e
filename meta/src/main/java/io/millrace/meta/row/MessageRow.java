package io.millrace.meta.row;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;

/** Rows that are few and wide (links, tasks): a format byte and a protobuf message. */
public final class MessageRow {
  private static final int FORMAT = 1;

  private MessageRow() {}

  public static byte[] encode(MessageLite message) {
    return new RowWriter(message.getSerializedSize() + 1)
        .u8(FORMAT)
        .rest(message.toByteArray())
        .take();
  }

  public static <T> T decode(byte[] value, Parser<T> parser) {
    var row = new RowReader(value);
    row.format(FORMAT);
    try {
      return parser.parseFrom(row.rest());
    } catch (InvalidProtocolBufferException e) {
      throw new FsException(e, Errno.EIO, "row is damaged");
    }
  }
}
