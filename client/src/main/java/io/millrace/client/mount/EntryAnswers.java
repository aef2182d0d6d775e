package io.millrace.client.mount;

import io.millrace.client.DirtyFile;
import io.millrace.client.Freshness;
import io.millrace.core.wire.NodeChannel.Reply;
import io.millrace.core.wire.Op;
import io.millrace.fuse.DetachedReply;
import io.millrace.fuse.EntryOut;
import io.millrace.fuse.FuseAttributes;
import io.millrace.fuse.FuseReply;
import io.millrace.proto.Inode;
import io.millrace.proto.InodeRequest;
import java.util.function.LongSupplier;

/**
 * Gives inodes to the kernel, with the time it may believe them: long under a lease, not at all
 * where a notice overtook the answer. Any thread.
 */
final class EntryAnswers {
  /** As long as the lease holds, in effect: the notice comes first. */
  static final long LEASED_NANOS = 3_600_000_000_000L;

  private static final int TYPE = 0170000;
  static final int DIRECTORY = 0040000;
  static final int REGULAR = 0100000;

  private final MountContext context;

  EntryAnswers(MountContext context) {
    this.context = context;
  }

  static boolean isDirectory(Inode inode) {
    return (inode.getMode() & TYPE) == DIRECTORY;
  }

  static boolean isRegular(Inode inode) {
    return (inode.getMode() & TYPE) == REGULAR;
  }

  /**
   * A name was found or made in {@code dir}.
   *
   * @param since when the node was asked for the name
   * @param askedAt when it was asked for the attributes
   */
  void entry(
      DetachedReply kernel, long dir, Inode inode, long since, long askedAt, boolean leased) {
    Shown shown = shown(inode);
    if (isOvertaken(inode, shown, askedAt)) {
      askAgain(
          kernel,
          inode.getIno(),
          (now, again) -> entry(kernel, dir, withName(again, inode), since, now, leased));
      return;
    }
    counted(
        inode.getIno(),
        () -> {
          noteXattrs(inode, since, askedAt);
          return fact(inode, leased);
        },
        facts -> {
          Freshness.Held held = context.notices().enter(dir, inode.getIno());
          try {
            return kernel.entry(filled(dir, inode, shown, since));
          } finally {
            context.notices().exit(held);
          }
        });
  }

  private static Inode withName(Inode inode, Inode named) {
    return inode.toBuilder().setParent(named.getParent()).setName(named.getName()).build();
  }

  /**
   * Whether a commit of ours ended while the answer was on its way: its length may be the one
   * before it, which the kernel would take for a truncation.
   */
  private boolean isOvertaken(Inode inode, Shown shown, long askedAt) {
    return !shown.ahead && isRegular(inode) && !context.own().isFresh(inode.getIno(), askedAt);
  }

  private interface Again {
    void answer(long askedAt, Inode inode);
  }

  private void askAgain(DetachedReply kernel, long ino, Again again) {
    long now = context.own().now();
    new NodeAnswer(kernel) {
      @Override
      void answer(Reply reply, DetachedReply to) {
        try (reply) {
          again.answer(now, reply.as(Inode.class));
        }
      }
    }.ask(context.channel(), Op.GETATTR, InodeRequest.newBuilder().setIno(ino).build());
  }

  /**
   * @param isNew made by this very request: it has no attributes but ours
   */
  boolean created(
      FuseReply reply, long dir, Inode inode, long since, long fh, int flags, boolean isNew) {
    long ino = inode.getIno();
    return counted(
        ino,
        () -> {
          noteXattrs(inode, since, isNew ? Long.MAX_VALUE : since);
          long leased = granted(ino, inode.getContentSeq(), true, since);
          return leased != 0
              ? leased
              : context.nodes().contentIs(ino, inode.getContentSeq(), false);
        },
        facts -> {
          Freshness.Held held = context.notices().enter(dir, inode.getIno());
          try {
            return reply.created(filled(dir, inode, shown(inode), since), fh, flags);
          } finally {
            context.notices().exit(held);
          }
        });
  }

  /**
   * What has no extended attributes has no ACL and no capability either, which the kernel asks for.
   *
   * @param since when the node was asked, as far as notices go
   * @param askedAt the same, as far as our own changes go
   */
  private void noteXattrs(Inode inode, long since, long askedAt) {
    long ino = inode.getIno();
    Freshness.Held held = context.notices().enter(ino, ino);
    try {
      boolean fresh = context.notices().isFresh(ino, since) && context.own().isFresh(ino, askedAt);
      if (!inode.getXattrs() && fresh) {
        context.nodes().change(ino, NodeTable.NO_XATTRS, 0);
      }
    } finally {
      context.notices().exit(held);
    }
  }

  private long fact(Inode inode, boolean contentLeased) {
    return contentLeased
        ? context.nodes().contentIs(inode.getIno(), inode.getContentSeq(), true)
        : 0;
  }

  private interface Answer {
    boolean give(long facts);
  }

  /**
   * Holds the inode's place in the table before the kernel learns of it, so that what is noted here
   * is there when the kernel's next request comes.
   */
  private boolean counted(long ino, LongSupplier note, Answer answer) {
    context.nodes().counts().increment(ino);
    try {
      return answer.give(note.getAsLong());
    } finally {
      long facts = context.nodes().facts(ino);
      if (context.nodes().counts().decrement(ino, 1) == 0) {
        forgotten(ino, facts);
      }
    }
  }

  /** Notes the content's sequence, and the lease unless a notice overtook it. */
  long granted(long ino, long contentSeq, boolean leased, long since) {
    var held = context.notices().enter(ino, ino);
    try {
      return context.notices().isFresh(ino, since)
          ? context.nodes().contentIs(ino, contentSeq, leased)
          : 0;
    } finally {
      context.notices().exit(held);
    }
  }

  /** The kernel holds the inode no more: so need we not hold its leases. */
  void forgotten(long ino, long facts) {
    if (NodeTable.has(facts, NodeTable.CONTENT_LEASE)) {
      context.leases().add(ino);
    }
    if (NodeTable.has(facts, NodeTable.DIRECTORY_LEASE)) {
      context.directoryLeases().add(ino);
    }
    context.staged().drop(ino);
    context.gone().forgotten(ino);
  }

  private EntryOut filled(long dir, Inode inode, Shown shown, long since) {
    var entry = new EntryOut().nodeid(inode.getIno());
    fill(entry.attributes(), shown.inode);
    boolean fresh =
        context.notices().isFresh(dir, since) && context.notices().isFresh(inode.getIno(), since);
    return fresh ? entry.ttl(context.leasedNanos(), attrTtl(shown)) : entry.ttl(0, 0);
  }

  /** For a page of a listing: the times depend on what {@code fresh} says of the page. */
  void fillListed(EntryOut entry, Inode inode) {
    entry.clear().nodeid(inode.getIno());
    Shown shown = shown(inode);
    fill(entry.attributes(), shown.inode);
    entry.ttl(context.leasedNanos(), attrTtl(shown));
  }

  /**
   * Attributes of an inode.
   *
   * @param since when the node was asked, as far as notices go
   * @param askedAt the same, as far as our own changes go
   */
  void attr(DetachedReply kernel, Inode inode, long since, long askedAt) {
    attr(kernel, inode, since, askedAt, true);
  }

  /** As a change left them: which grants no lease, so they are believed under one that is here. */
  void changedAttr(DetachedReply kernel, Inode inode, long since, long askedAt) {
    attr(kernel, inode, since, askedAt, false);
  }

  private void attr(
      DetachedReply kernel, Inode inode, long since, long askedAt, boolean leasedWithIt) {
    Shown shown = shown(inode);
    if (isOvertaken(inode, shown, askedAt)) {
      askAgain(kernel, inode.getIno(), (now, again) -> attr(kernel, again, now, now, false));
      return;
    }
    var attributes = new FuseAttributes();
    fill(attributes, shown.inode);
    Freshness.Held held = context.notices().enter(inode.getIno(), inode.getParent());
    try {
      boolean believed =
          context.notices().isFresh(inode.getIno(), since)
              && (leasedWithIt || isLeased(inode, since));
      kernel.attr(attributes, believed ? attrTtl(shown) : 0);
    } finally {
      context.notices().exit(held);
    }
  }

  /** Whether the node tells this client of the next change of the attributes. */
  private boolean isLeased(Inode inode, long since) {
    long parent = inode.getParent();
    long own = NodeTable.CONTENT_LEASE | NodeTable.DIRECTORY_LEASE;
    return NodeTable.has(context.nodes().facts(inode.getIno()), own)
        || (NodeTable.has(context.nodes().facts(parent), NodeTable.DIRECTORY_LEASE)
            && context.notices().isFresh(parent, since));
  }

  /** Attributes of an inode that only this mount still knows. */
  void gone(DetachedReply kernel, Inode inode) {
    attr(kernel, inode, context.notices().now(), Long.MAX_VALUE);
  }

  /** There is no such name. */
  boolean absent(FuseReply reply, long dir, long since) {
    Freshness.Held held = context.notices().enter(dir, dir);
    try {
      return reply.noEntry(context.notices().isFresh(dir, since) ? context.leasedNanos() : 0);
    } finally {
      context.notices().exit(held);
    }
  }

  /** While data is on its way each stat asks. */
  private long attrTtl(Shown shown) {
    return shown.ahead ? 0 : context.leasedNanos();
  }

  /** {@code ahead}: length and time are those of writes the node has not committed. */
  private record Shown(Inode inode, boolean ahead) {}

  private Shown shown(Inode inode) {
    DirtyFile dirty = isRegular(inode) ? context.writeBack().find(inode.getIno()) : null;
    Inode overlaid = dirty == null ? null : dirty.overlay(inode);
    return overlaid == null ? new Shown(inode, false) : new Shown(overlaid, true);
  }

  private static void fill(FuseAttributes to, Inode inode) {
    to.ino(inode.getIno())
        .mode(inode.getMode())
        .nlink(inode.getNlink())
        .owner(inode.getUid(), inode.getGid())
        .rdev(inode.getRdev())
        .size(inode.getSize())
        .times(inode.getAtimeNs(), inode.getMtimeNs(), inode.getCtimeNs());
  }
}
