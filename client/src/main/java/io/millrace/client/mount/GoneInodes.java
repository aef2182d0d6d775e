package io.millrace.client.mount;

import io.millrace.proto.Inode;
import io.millrace.proto.SetAttr;
import java.time.InstantSource;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Attributes of inodes that lost their last name through this mount and that the node has freed,
 * while the kernel still holds them: a removed directory that is somebody's working directory, a
 * pipe or socket (whose opens the kernel keeps to itself), a file open with O_PATH. They can still
 * be asked for and set, and nobody else can: so they live here until the kernel forgets them.
 *
 * <p>Any thread. Bounded: of more than {@link #INODES_MAX} at a time the newest are not kept, and
 * are stale where they are used.
 */
final class GoneInodes {
  private static final int INODES_MAX = 4096;
  private static final int TYPE = 0170000;

  private final NodeTable nodes;
  private final InstantSource clock;
  private final ConcurrentHashMap<Long, Inode> inodes = new ConcurrentHashMap<>();

  GoneInodes(NodeTable nodes, InstantSource clock) {
    this.nodes = nodes;
    this.clock = clock;
  }

  /** Before the kernel hears that the name is gone: until then it holds the inode. */
  void add(Inode inode) {
    if (inodes.size() < INODES_MAX && nodes.counts().contains(inode.getIno())) {
      inodes.put(inode.getIno(), inode.toBuilder().setNlink(0).build());
    }
  }

  /** Null where the inode is not one of these. */
  Inode get(long ino) {
    return inodes.isEmpty() ? null : inodes.get(ino);
  }

  void forgotten(long ino) {
    if (!inodes.isEmpty()) {
      inodes.remove(ino);
    }
  }

  /** Mode, owner and times as asked; null where the inode is not one of these. */
  Inode change(SetAttr op) {
    return inodes.isEmpty()
        ? null
        : inodes.computeIfPresent(op.getIno(), (ino, inode) -> changed(inode, op));
  }

  private Inode changed(Inode inode, SetAttr op) {
    var now = clock.instant();
    long nanos = now.getEpochSecond() * 1_000_000_000L + now.getNano();
    Inode.Builder after = inode.toBuilder().setCtimeNs(nanos);
    if (op.hasMode()) {
      after.setMode((inode.getMode() & TYPE) | op.getMode());
    }
    if (op.hasUid()) {
      after.setUid(op.getUid());
    }
    if (op.hasGid()) {
      after.setGid(op.getGid());
    }
    if (op.getAtimeNow() || op.hasAtimeNs()) {
      after.setAtimeNs(op.getAtimeNow() ? nanos : op.getAtimeNs());
    }
    if (op.getMtimeNow() || op.hasMtimeNs()) {
      after.setMtimeNs(op.getMtimeNow() ? nanos : op.getMtimeNs());
    }
    return after.build();
  }
}
