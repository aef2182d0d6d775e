package io.millrace.link;

import com.google.protobuf.ByteString;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.core.api.Namespace;
import io.millrace.core.path.FileType;
import io.millrace.proto.Inode;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;

/**
 * All that is below a directory, depth first, each directory after what is in it. Any thread may
 * take the next one. Holds a page of entries per level, and beyond {@value #DEEP} levels only the
 * place to go on from, so deep trees cost no memory either.
 */
final class TreeWalk {
  private static final int PAGE = 256;
  private static final int DEEP = 16;

  private static final class Level {
    final Inode directory;
    final Deque<Inode> page = new ArrayDeque<>();
    ByteString last = ByteString.EMPTY;
    boolean ended;

    Level(Inode directory) {
      this.directory = directory;
    }
  }

  private final Namespace namespace;
  private final Deque<Level> levels = new ArrayDeque<>();

  /** A file is a walk of one. */
  TreeWalk(Namespace namespace, Inode top) {
    this.namespace = namespace;
    if (FileType.isDirectory(top)) {
      levels.push(new Level(top));
    } else {
      Level single = new Level(null);
      single.page.add(top);
      single.ended = true;
      levels.push(single);
    }
  }

  /** Empty at the end. Entries that vanish meanwhile are left out. */
  synchronized Optional<Inode> next() {
    while (!levels.isEmpty()) {
      Level level = levels.peek();
      Inode entry = entry(level);
      if (entry == null) {
        levels.pop();
        if (level.directory != null) {
          return Optional.of(level.directory);
        }
      } else if (FileType.isDirectory(entry)) {
        descend(level, entry);
      } else {
        return Optional.of(entry);
      }
    }
    return Optional.empty();
  }

  private void descend(Level level, Inode directory) {
    if (levels.size() > DEEP && !level.page.isEmpty()) {
      level.page.clear();
      level.last = directory.getName();
      level.ended = false;
    }
    levels.push(new Level(directory));
  }

  private Inode entry(Level level) {
    if (level.page.isEmpty() && !level.ended) {
      try {
        level.ended = namespace.list(level.directory.getIno(), level.last, PAGE, level.page::add);
      } catch (FsException e) {
        if (e.errno() != Errno.ESTALE && e.errno() != Errno.ENOENT) {
          throw e;
        }
        level.ended = true;
      }
      if (!level.page.isEmpty()) {
        level.last = level.page.peekLast().getName();
      }
    }
    return level.page.poll();
  }
}
