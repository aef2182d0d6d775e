package io.millrace.link;

import com.google.protobuf.ByteString;
import io.millrace.core.api.Namespace;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Paths in the file system, as bytes with slashes, from the root. */
final class TreePath {
  private static final ByteString SLASH = ByteString.copyFrom(new byte[] {'/'});

  private TreePath() {}

  static ByteString of(Namespace namespace, long ino) {
    return join(namespace.path(ino));
  }

  static String shown(Namespace namespace, long ino) {
    return of(namespace, ino).toString(StandardCharsets.UTF_8);
  }

  static ByteString join(List<ByteString> names) {
    ByteString path = ByteString.EMPTY;
    for (ByteString name : names) {
      path = path.concat(SLASH).concat(name);
    }
    return path.isEmpty() ? SLASH : path;
  }

  /** Without doubled or trailing slashes. */
  static ByteString normal(ByteString path) {
    return join(names(path));
  }

  static List<ByteString> names(ByteString path) {
    var names = new java.util.ArrayList<ByteString>();
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
  static boolean within(ByteString path, ByteString top) {
    return top.equals(SLASH)
        || path.equals(top)
        || (path.size() > top.size() && path.startsWith(top) && path.byteAt(top.size()) == '/');
  }
}
