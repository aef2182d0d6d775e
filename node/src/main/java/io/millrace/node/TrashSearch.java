package io.millrace.node;

import com.google.protobuf.ByteString;
import io.millrace.core.api.FsException;
import io.millrace.core.api.Namespace;
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
    for (TrashRecord trash : namespace.trashes()) {
      for (Inode hour : entries(trash.getBin(), ByteString.EMPTY)) {
        if (!hour(trash, hour, path, inside, found)) {
          return;
        }
      }
    }
  }

  private boolean hour(
      TrashRecord trash,
      Inode hour,
      ByteString path,
      ByteString inside,
      Predicate<TrashedEntry> found) {
    ByteString after = ByteString.EMPTY;
    List<Inode> page = entries(hour.getIno(), after);
    while (!page.isEmpty()) {
      for (Inode inode : page) {
        after = inode.getName();
        Optional<TrashedEntry> entry = entry(trash.getRoot(), inode);
        boolean wanted =
            entry.isPresent()
                && (path.isEmpty()
                    || entry.get().getPath().equals(path)
                    || entry.get().getPath().startsWith(inside));
        if (wanted && !found.test(entry.get())) {
          return false;
        }
      }
      page = entries(hour.getIno(), after);
    }
    return true;
  }

  private List<Inode> entries(long dir, ByteString after) {
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
            : living(dir);
    paths.put(dir, path);
    return path;
  }

  private ByteString living(long dir) {
    try {
      ByteString.Output path = ByteString.newOutput();
      for (ByteString name : namespace.path(dir)) {
        path.write('/');
        path.write(name.toByteArray(), 0, name.size());
      }
      ByteString found = path.toByteString();
      return found.isEmpty() ? SLASH : found;
    } catch (FsException e) {
      return ByteString.EMPTY;
    }
  }
}
