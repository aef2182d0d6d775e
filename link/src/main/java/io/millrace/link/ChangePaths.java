package io.millrace.link;

import com.google.protobuf.ByteString;
import io.millrace.core.api.FsException;
import io.millrace.core.api.Namespace;
import io.millrace.core.path.TreePath;
import io.millrace.proto.Change;
import io.millrace.proto.LinkRecord;
import java.util.List;

/** Which rows of a link's queue lie below some paths, and what to call them. */
final class ChangePaths {
  private final Namespace namespace;
  private final LinkRecord link;
  private final List<ByteString> paths;
  private final boolean whole;

  ChangePaths(Namespace namespace, LinkRecord link, List<ByteString> paths) {
    this.namespace = namespace;
    this.link = link;
    this.paths = paths.stream().map(TreePath::normal).toList();
    ByteString root = TreePath.of(namespace, link.getRoot());
    this.whole = this.paths.stream().anyMatch(path -> TreePath.within(root, path));
  }

  boolean contains(Change change) {
    if (whole) {
      return true;
    }
    ByteString path = path(change);
    return paths.stream().anyMatch(top -> TreePath.within(path, top));
  }

  String shown(Change change) {
    return path(change).toStringUtf8();
  }

  /** Where the file is now; of one that is gone, where its key says it was. */
  private ByteString path(Change change) {
    try {
      return TreePath.of(namespace, change.getIno());
    } catch (FsException e) {
      ByteString root = TreePath.of(namespace, link.getRoot());
      String key = change.getKey();
      String below =
          key.startsWith(link.getPrefix()) ? key.substring(link.getPrefix().length()) : key;
      return TreePath.normal(root.concat(ByteString.copyFromUtf8("/" + below)));
    }
  }

  long bytes(Change change) {
    try {
      return namespace.inode(change.getIno()).getSize();
    } catch (FsException e) {
      return 0;
    }
  }
}
