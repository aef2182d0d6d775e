package io.millrace.core.path;

import com.google.protobuf.ByteString;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.core.api.Namespace;
import io.millrace.proto.Inode;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Paths in the file system, as bytes with slashes, from the root. */
public final class TreePath {
  private static final ByteString SLASH = ByteString.copyFrom(new byte[] {'/'});

  private TreePath() {}

  /**
   * One path of an inode.
   *
   * @throws FsException ENOENT: it has none any more
   */
  public static ByteString of(Namespace namespace, long ino) {
    return join(namespace.path(ino));
  }

  /** The same, but empty where it has none any more. */
  public static ByteString ofLiving(Namespace namespace, long ino) {
    try {
      return of(namespace, ino);
    } catch (FsException e) {
      return ByteString.EMPTY;
    }
  }

  /**
   * What is there.
   *
   * @throws FsException ENOENT: nothing is
   */
  public static Inode existing(Namespace namespace, ByteString path) {
    return namespace
        .resolve(path)
        .orElseThrow(
            () ->
                new FsException(
                    Errno.ENOENT, "no such file or directory", "path", path.toStringUtf8()));
  }

  /** For people: what is not UTF-8 is replaced. */
  public static String shown(Namespace namespace, long ino) {
    return of(namespace, ino).toString(StandardCharsets.UTF_8);
  }

  /** With a slash before each name; the root is a slash. */
  public static ByteString join(List<ByteString> names) {
    ByteString path = ByteString.EMPTY;
    for (ByteString name : names) {
      path = path.concat(SLASH).concat(name);
    }
    return path.isEmpty() ? SLASH : path;
  }

  /** Without doubled or trailing slashes. */
  public static ByteString normal(ByteString path) {
    return join(names(path));
  }

  /** The names between the slashes. */
  public static List<ByteString> names(ByteString path) {
    var names = new ArrayList<ByteString>();
    int start = 0;
    for (int i = 0; i <= path.size(); i++) {
      if (i == path.size() || path.byteAt(i) == '/') {
        if (i > start) {
          names.add(path.substring(start, i));
        }
        start = i + 1;
      }
    }
    return List.copyOf(names);
  }

  /** Whether {@code path} is {@code top} or lies below it; both normal. */
  public static boolean within(ByteString path, ByteString top) {
    return top.equals(SLASH)
        || path.equals(top)
        || (path.size() > top.size() && path.startsWith(top) && path.byteAt(top.size()) == '/');
  }
}
