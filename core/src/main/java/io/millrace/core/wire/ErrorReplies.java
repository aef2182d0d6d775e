package io.millrace.core.wire;

import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.proto.ErrorReply;

/** A failure as it crosses the wire: errno and message, never a stack. */
final class ErrorReplies {
  private static final int MESSAGE_MAX_CHARS = 4096;

  private ErrorReplies() {}

  static ErrorReply of(FsException failure) {
    String text = String.valueOf(failure.getMessage());
    return ErrorReply.newBuilder()
        .setErrno(failure.errno().code())
        .setMessage(text.substring(0, Math.min(text.length(), MESSAGE_MAX_CHARS)))
        .build();
  }

  /** The failure with the text it had, not with its errno and fields written twice. */
  static FsException failure(ErrorReply reply) {
    Errno errno = Errno.of(reply.getErrno());
    String text = reply.getMessage();
    int fields = text.lastIndexOf(" [" + errno);
    if (fields < 0 || !text.endsWith("]")) {
      return new FsException(errno, text);
    }
    String message = text.substring(0, fields);
    String pairs = text.substring(fields + 2 + errno.name().length(), text.length() - 1);
    int equals = pairs.indexOf('=');
    if (!pairs.startsWith(", ") || equals < 0) {
      return new FsException(errno, message);
    }
    return new FsException(errno, message, pairs.substring(2, equals), pairs.substring(equals + 1));
  }
}
