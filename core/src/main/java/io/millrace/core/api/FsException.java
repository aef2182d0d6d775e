package io.millrace.core.api;

import java.io.Serial;

/**
 * The one exception of the data path: an errno, a constant message, and fields as key and value.
 * The message is constant so that log lines can be counted; what varies goes into the fields.
 * Translated once, at the edge (FUSE reply, wire reply, exit code), by {@link #errno}, never by
 * text.
 */
public final class FsException extends RuntimeException {
  @Serial private static final long serialVersionUID = 1L;

  private final Errno errno;

  /**
   * @param fields alternating keys and values, appended to the message as {@code key=value}
   */
  public FsException(Errno errno, String message, Object... fields) {
    super(text(errno, message, fields));
    this.errno = errno;
  }

  public FsException(Throwable cause, Errno errno, String message, Object... fields) {
    super(text(errno, message, fields), cause);
    this.errno = errno;
  }

  public Errno errno() {
    return errno;
  }

  private static String text(Errno errno, String message, Object... fields) {
    if (fields.length % 2 != 0) {
      throw new IllegalArgumentException("fields come in pairs: " + message);
    }
    var text = new StringBuilder(message).append(" [").append(errno);
    for (int i = 0; i < fields.length; i += 2) {
      text.append(", ").append(fields[i]).append('=').append(fields[i + 1]);
    }
    return text.append(']').toString();
  }
}
