package io.millrace.meta.op;

import com.google.protobuf.ByteString;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.meta.row.InodeState;
import java.util.List;

/** Which extended attributes there can be, as ext4 has it. */
final class XattrName {
  private static final ByteString USER = ByteString.copyFromUtf8("user.");
  private static final List<ByteString> OTHERS =
      List.of(ByteString.copyFromUtf8("trusted."), ByteString.copyFromUtf8("security."));

  private XattrName() {}

  /**
   * @throws FsException EOPNOTSUPP no such namespace; EINVAL nothing after it; EPERM user
   *     attributes of special files
   */
  static void check(InodeState inode, ByteString name) {
    if (name.equals(USER) || OTHERS.contains(name)) {
      throw new FsException(Errno.EINVAL, "attribute without a name", "inode", inode.ino);
    }
    if (name.startsWith(USER)) {
      if (!inode.isRegular() && !inode.isDirectory()) {
        throw new FsException(Errno.EPERM, "user attributes of a special file", "inode", inode.ino);
      }
    } else if (!AccessControl.isAcl(name) && OTHERS.stream().noneMatch(name::startsWith)) {
      throw new FsException(Errno.EOPNOTSUPP, "namespace of attributes", "inode", inode.ino);
    }
  }
}
