package io.millrace.node;

import com.google.protobuf.ByteString;
import io.millrace.core.api.FsException;
import io.millrace.core.api.Namespace;
import io.millrace.core.path.TreePath;
import io.millrace.proto.Inode;
import io.millrace.proto.TrashRecord;
import io.millrace.proto.TrashedEntry;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;

/** Looks through the trash for what was at or below a path. One use, one thread. */
final class TrashSearch {
  private static final int PAGE = 1000;
  private static final int PATHS_MAX = 4096;
  private static final int DEPTH_MAX = 4096;
  private static final ByteString SLASH = ByteString.copyFromUtf8("/");

  private final Namespace namespace;
  private final Map<Long, ByteString> paths =
      new LinkedHashMap<>() {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Long, ByteString> eldest) {
          return size() > PATHS_MAX;
        }
      };

  TrashSearch(Namespace namespace) {
    this.namespace = namespace;
  }

  /**
   * @param path empty: all
   * @param found gets each entry, the oldest hour of a bin first; false ends it
   */
  void below(ByteString path, Predicate<TrashedEntry> found) {
    ByteString inside = path.equals(SLASH) ? SLASH : path.concat(SLASH);
    Predicate<TrashedEntry> ifWanted =
        entry ->
            !(path.isEmpty() || entry.getPath().equals(path) || entry.getPath().startsWith(inside))
                || found.test(entry);
    for (TrashRecord trash : namespace.trashes()) {
      Predicate<Inode> file =
          inode -> entry(trash.getRoot(), inode).map(ifWanted::test).orElse(true);
      if (!each(trash.getBin(), hour -> each(hour.getIno(), file))) {
        return;
      }
    }
  }

  /** Page by page; false: the visitor ended it. */
  private boolean each(long dir, Predicate<Inode> visitor) {
    ByteString after = ByteString.EMPTY;
    for (List<Inode> page = page(dir, after); !page.isEmpty(); page = page(dir, after)) {
      for (Inode inode : page) {
        after = inode.getName();
        if (!visitor.test(inode)) {
          return false;
        }
      }
    }
    return true;
  }

  private List<Inode> page(long dir, ByteString after) {
    var entries = new ArrayList<Inode>();
    try {
      namespace.list(dir, after, PAGE, entries::add);
    } catch (FsException e) {
      entries.clear(); // emptied meanwhile
    }
    return entries;
  }

  private Optional<TrashedEntry> entry(long root, Inode inode) {
    return namespace
        .trashed(inode.getIno())
        .map(
            row ->
                row.toBuilder()
                    .setInode(inode)
                    .setRoot(root)
                    .setPath(joined(path(row.getDir(), 0), row.getName()))
                    .build());
  }

  private static ByteString joined(ByteString dir, ByteString name) {
    return dir.isEmpty()
        ? ByteString.EMPTY
        : (dir.equals(SLASH) ? dir : dir.concat(SLASH)).concat(name);
  }

  /** Where a directory is, or was before it was deleted too; empty: nobody knows any more. */
  private ByteString path(long dir, int depth) {
    ByteString known = paths.get(dir);
    if (known != null || depth > DEPTH_MAX) {
      return known == null ? ByteString.EMPTY : known;
    }
    Optional<TrashedEntry> deleted = namespace.trashed(dir);
    ByteString path =
        deleted.isPresent()
            ? joined(path(deleted.get().getDir(), depth + 1), deleted.get().getName())
            : TreePath.ofLiving(namespace, dir);
    paths.put(dir, path);
    return path;
  }
}
