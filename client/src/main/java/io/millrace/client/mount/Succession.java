package io.millrace.client.mount;

import io.millrace.client.MountLedger;
import io.millrace.core.api.FsException;
import io.millrace.core.wire.NodeChannel;
import io.millrace.core.wire.NodeChannel.Reply;
import io.millrace.core.wire.Op;
import io.millrace.fuse.FuseSession;
import io.millrace.proto.Inode;
import io.millrace.proto.InodeRequest;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * Makes this process the one that goes on with a mount (H17), before it reads the first request.
 * Afterwards it knows all handles by the numbers the kernel has for them, which of them have lost
 * data, and every inode the kernel may hold; and it trusts nothing that the kernel has cached.
 */
final class Succession {
  private static final Logger LOG = System.getLogger(Succession.class.getName());

  private final MountContext context;
  private final KernelNotices notices;
  private final MountLedger ledger;

  Succession(MountContext context, KernelNotices notices) {
    this.context = context;
    this.notices = notices;
    this.ledger = context.session().ledger();
  }

  /** Blocks on the node where another process has left commands. */
  void begin(FuseSession fuse) {
    if (!fuse.isTakenOver()) {
      fuse.lookups().onNew(ledger.nodes()::add);
      return;
    }
    context.session().fenceEarlier();
    takeHandles();
    takeNodes(fuse);
    notices.leasesLost();
    context.open().inodes().forEach(this::askForName);
  }

  private void takeHandles() {
    Set<Long> lost = new HashSet<>();
    Map<Long, Long> left = ledger.unsent().left();
    left.forEach(
        (ino, carrier) -> {
          if (!context.session().wasApplied(carrier)) {
            lost.add(ino);
          }
        });
    context.open().takeOver(context.writeBack(), lost);
    ledger.unsent().forgetLeft();
    for (long ino : lost) {
      LOG.log(
          Level.WARNING,
          "data written to inode {0} was lost with the process that had it{1}",
          Long.toString(ino),
          context.open().isOpen(ino) ? "; its writers get EIO" : "; it is closed already");
    }
  }

  /** Counts are advisory: only that the kernel holds it matters, and that its pages are unknown. */
  private void takeNodes(FuseSession fuse) {
    ledger
        .nodes()
        .forEach(
            ino -> {
              if (!fuse.lookups().contains(ino)) {
                fuse.lookups().increment(ino);
                context.nodes().contentLost(ino);
              }
            });
    fuse.lookups().onNew(ledger.nodes()::add);
  }

  /** One without a name lives until its last handle is closed (H10). */
  private void askForName(long ino) {
    try {
      context
          .channel()
          .call(
              Op.GETATTR,
              InodeRequest.newBuilder().setIno(ino).build(),
              null,
              new NodeChannel.Callback() {
                @Override
                public void done(Reply reply) {
                  try (reply) {
                    if (reply.as(Inode.class).getNlink() == 0) {
                      context.open().orphan(ino);
                    }
                  }
                }

                @Override
                public void failed(FsException failure) {
                  LOG.log(Level.DEBUG, "an open inode is gone", failure);
                }
              });
    } catch (FsException e) {
      LOG.log(Level.DEBUG, "an open inode was not asked for", e);
    }
  }
}
