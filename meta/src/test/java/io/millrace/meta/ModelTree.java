package io.millrace.meta;

import io.millrace.core.api.Errno;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The plainest tree that follows rename(2), unlink(2) and the rest: what the namespace must equal.
 */
final class ModelTree {
  /** A directory or a file. */
  static final class Node {
    final boolean directory;
    final Map<String, Node> entries = new TreeMap<>();
    int nlink = 1;
    long ino;

    Node(boolean directory) {
      this.directory = directory;
    }
  }

  final Node root = new Node(true);

  Errno create(Node dir, String name, boolean directory) {
    if (dir.entries.containsKey(name)) {
      return Errno.EEXIST;
    }
    dir.entries.put(name, new Node(directory));
    return null;
  }

  Errno unlink(Node dir, String name) {
    Node node = dir.entries.get(name);
    if (node == null) {
      return Errno.ENOENT;
    }
    if (node.directory) {
      return Errno.EISDIR;
    }
    dir.entries.remove(name);
    node.nlink--;
    return null;
  }

  Errno rmdir(Node dir, String name) {
    Node node = dir.entries.get(name);
    if (node == null) {
      return Errno.ENOENT;
    }
    if (!node.directory) {
      return Errno.ENOTDIR;
    }
    if (!node.entries.isEmpty()) {
      return Errno.ENOTEMPTY;
    }
    dir.entries.remove(name);
    return null;
  }

  Errno link(Node file, Node dir, String name) {
    if (file.directory) {
      return Errno.EPERM;
    }
    if (dir.entries.containsKey(name)) {
      return Errno.EEXIST;
    }
    dir.entries.put(name, file);
    file.nlink++;
    return null;
  }

  Errno rename(Node from, String name, Node to, String newName, int flags) {
    Node moved = from.entries.get(name);
    if (moved == null) {
      return Errno.ENOENT;
    }
    Node target = to.entries.get(newName);
    if (moved == target) {
      return flags == 1 ? Errno.EEXIST : null;
    }
    if (target == null && flags == 2) {
      return Errno.ENOENT;
    }
    if (target != null && flags == 1) {
      return Errno.EEXIST;
    }
    if (contains(moved, to) || (flags == 2 && contains(target, from))) {
      return Errno.EINVAL;
    }
    if (flags == 2) {
      from.entries.put(name, target);
      to.entries.put(newName, moved);
      return null;
    }
    if (target != null) {
      Errno errno = replaced(moved, target);
      if (errno != null) {
        return errno;
      }
    }
    from.entries.remove(name);
    to.entries.put(newName, moved);
    return null;
  }

  private static Errno replaced(Node moved, Node target) {
    if (moved.directory && !target.directory) {
      return Errno.ENOTDIR;
    }
    if (!moved.directory && target.directory) {
      return Errno.EISDIR;
    }
    if (!target.entries.isEmpty()) {
      return Errno.ENOTEMPTY;
    }
    target.nlink--;
    return null;
  }

  private static boolean contains(Node above, Node node) {
    if (above == node) {
      return above.directory;
    }
    return above.entries.values().stream().anyMatch(child -> contains(child, node));
  }

  /** All nodes that have a name, the root first. */
  List<Node> nodes() {
    var nodes = new ArrayList<Node>();
    collect(root, nodes);
    return nodes;
  }

  private static void collect(Node node, List<Node> nodes) {
    if (!nodes.contains(node)) {
      nodes.add(node);
      node.entries.values().forEach(child -> collect(child, nodes));
    }
  }
}
