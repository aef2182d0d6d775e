package io.millrace.node;

import com.google.protobuf.ByteString;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;

/**
 * Extended attributes that are made up on reading. They are never listed, so that what copies all
 * attributes ({@code cp -a}, {@code rsync -X}) does not carry one file's state to another.
 */
final class MadeUpAttributes {
  static final ByteString STATE = ByteString.copyFromUtf8("user.millrace.state");
  static final ByteString REASON = ByteString.copyFromUtf8("user.millrace.reason");
  private static final ByteString PREFIX = ByteString.copyFromUtf8("user.millrace.");

  private MadeUpAttributes() {}

  /**
   * @throws FsException EOPNOTSUPP the name is one of ours
   */
  static void requireOrdinary(ByteString name) {
    if (name.startsWith(PREFIX)) {
      throw new FsException(
          Errno.EOPNOTSUPP, "user.millrace.* can only be read", "name", name.toStringUtf8());
    }
  }
}
