package io.millrace.meta.op;

import com.google.protobuf.ByteString;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;

/** Which bytes may name an entry, as Linux has it. */
final class EntryName {
  static final int MAX_BYTES = 255;

  private EntryName() {}

  /**
   * @throws FsException EINVAL empty, or with a slash or NUL; ENAMETOOLONG; {@code forDots} for "."
   *     and ".."
   */
  static byte[] checked(ByteString name, Errno forDots) {
    Errno errno = fault(name, forDots);
    if (errno != null) {
      throw new FsException(errno, "name can't be used", "name", name.toStringUtf8());
    }
    return name.toByteArray();
  }

  /** Null for a good name. */
  static Errno fault(ByteString name, Errno forDots) {
    int size = name.size();
    if (size > MAX_BYTES) {
      return Errno.ENAMETOOLONG;
    }
    if (size == 0) {
      return Errno.EINVAL;
    }
    if (name.byteAt(0) == '.' && (size == 1 || (size == 2 && name.byteAt(1) == '.'))) {
      return forDots;
    }
    for (int i = 0; i < size; i++) {
      if (name.byteAt(i) == '/' || name.byteAt(i) == 0) {
        return Errno.EINVAL;
      }
    }
    return null;
  }
}
