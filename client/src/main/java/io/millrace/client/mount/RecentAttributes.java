package io.millrace.client.mount;

import io.millrace.client.Freshness;
import io.millrace.proto.Inode;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The last answers about a few inodes, for the two cases in which the kernel throws attributes away
 * that a lease still covers: a file's after each READ (its atime), a directory's after each create
 * in it, which it needs again to check permissions for the next one.
 *
 * <p>Any thread. Bounded. Invariant: an answer is given only while a lease covers it and nothing
 * has been marked since it was asked for.
 */
final class RecentAttributes {
  private static final int INODES_MAX = 4096;

  private record Recent(Inode inode, long noticedSince, long ownSince) {}

  private final NodeTable nodes;
  private final Freshness notices;
  private final Freshness own;

  private final Map<Long, Recent> inodes =
      new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Long, Recent> eldest) {
          return size() > INODES_MAX;
        }
      };

  RecentAttributes(NodeTable nodes, Freshness notices, Freshness own) {
    this.nodes = nodes;
    this.notices = notices;
    this.own = own;
  }

  /** The node's answer to what was asked at {@code since}. */
  void put(Inode inode, long since) {
    put(new Recent(inode, since, since));
  }

  /** This client has just made it. */
  void putNew(Inode inode, long since) {
    put(new Recent(inode, since, own.now()));
  }

  private void put(Recent recent) {
    synchronized (inodes) {
      inodes.put(recent.inode.getIno(), recent);
    }
  }

  /** Null where the node must be asked. */
  Inode get(long ino) {
    Recent recent = valid(ino);
    return recent == null ? null : recent.inode;
  }

  /** When what {@link #get} gives was asked for; taken before it. */
  long now() {
    return own.now();
  }

  private Recent valid(long ino) {
    Recent recent;
    synchronized (inodes) {
      recent = inodes.get(ino);
    }
    boolean valid =
        recent != null
            && notices.isFresh(ino, recent.noticedSince)
            && own.isFresh(ino, recent.ownSince)
            && isLeased(ino, recent.inode.getParent());
    return valid ? recent : null;
  }

  private boolean isLeased(long ino, long parent) {
    return NodeTable.has(nodes.facts(ino) | nodes.facts(parent), NodeTable.DIRECTORY_LEASE);
  }

  /**
   * A name of {@code dir} was made or taken away by this client at {@code nanos}: marks the
   * directory, and keeps its attributes as the node now has them.
   */
  void directoryChanged(long dir, long nanos, int linksMore) {
    Recent before = valid(dir);
    own.changed(dir);
    if (before != null && nanos != 0) {
      Inode after =
          before.inode.toBuilder()
              .setMtimeNs(nanos)
              .setCtimeNs(nanos)
              .setNlink(before.inode.getNlink() + linksMore)
              .build();
      put(new Recent(after, before.noticedSince, own.now()));
    }
  }

  void clear() {
    synchronized (inodes) {
      inodes.clear();
    }
  }
}
