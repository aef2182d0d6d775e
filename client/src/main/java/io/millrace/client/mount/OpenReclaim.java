package io.millrace.client.mount;

import io.millrace.core.api.FsException;
import io.millrace.core.wire.NodeChannel;
import io.millrace.core.wire.NodeChannel.Reply;
import io.millrace.core.wire.Op;
import io.millrace.proto.Reclaim;
import io.millrace.proto.ReclaimReply;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.List;

/**
 * Tells a node that knows of no lease of ours what is open here, so that it keeps those files when
 * they lose their names (H10), and later that what was cached under the old leases is gone (H11).
 * Any thread.
 */
final class OpenReclaim {
  private static final Logger LOG = System.getLogger(OpenReclaim.class.getName());

  /** Keeps a request well under the limit of a frame's header. */
  private static final int INODES_PER_REQUEST = 50_000;

  private final MountContext context;

  OpenReclaim(MountContext context) {
    this.context = context;
  }

  /** Before any other request on the new line: an open that comes after it takes its own lease. */
  void reclaim() {
    List<Long> open = context.open().inodes();
    int from = 0;
    int to;
    do {
      to = Math.min(open.size(), from + INODES_PER_REQUEST);
      boolean more = to < open.size();
      send(request().addAllOpen(open.subList(from, to)).setMore(more));
      from = to;
    } while (to < open.size());
  }

  /** The kernel has forgotten all that it had cached when the node with this boot was there. */
  void dropped(long boot) {
    send(Reclaim.newBuilder().setBoot(boot).setDropped(true));
  }

  private Reclaim.Builder request() {
    return Reclaim.newBuilder().setBoot(context.channel().welcome().getBoot());
  }

  private void send(Reclaim.Builder request) {
    try {
      context.channel().call(Op.RECLAIM, request.build(), null, new Answer());
    } catch (FsException e) {
      LOG.log(Level.DEBUG, "open files were not named to the node", e);
    }
  }

  private final class Answer implements NodeChannel.Callback {
    @Override
    public void done(Reply reply) {
      try (reply) {
        reply.as(ReclaimReply.class).getUnnamedList().forEach(this::unnamed);
      }
    }

    /** Closed since it was named to the node: nobody else will give it up. */
    private void unnamed(long ino) {
      if (!context.open().orphan(ino)) {
        context.orphans().add(ino);
      }
    }

    @Override
    public void failed(FsException failure) {
      LOG.log(Level.DEBUG, "open files were not named to the node", failure);
    }
  }
}
