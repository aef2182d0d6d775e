package io.millrace.client.mount;

import com.google.protobuf.ByteString;
import io.millrace.client.ContentReader;
import io.millrace.client.Freshness;
import io.millrace.client.LookupPredictor;
import io.millrace.client.NodeSession;
import io.millrace.client.StagedContent;
import io.millrace.client.WriteBack;
import io.millrace.core.wire.NodeChannel;
import io.millrace.fuse.FuseNotifier;
import io.millrace.fuse.FuseRequest;
import io.millrace.proto.Command;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * What the parts of one mount share. Made once, when the kernel has been mounted; each part is safe
 * for any thread.
 *
 * @param notices marked by the node's notices
 * @param own marked by this client's own changes, which the kernel knows of but pages of a listing
 *     do not
 * @param leases content leases to give up
 * @param directoryLeases directory leases to give up
 * @param orphans inodes without names that nobody here has open
 * @param leasedNanos how long the kernel may believe what a lease covers
 * @param ended the mount is gone
 */
record MountContext(
    MountConfig config,
    NodeSession session,
    NodeTable nodes,
    FuseNotifier notifier,
    Freshness notices,
    Freshness own,
    LookupPredictor predictor,
    StagedContent staged,
    RecentAttributes recent,
    GoneInodes gone,
    ContentReader reader,
    WriteBack writeBack,
    OpenFiles open,
    BatchedWork leases,
    BatchedWork directoryLeases,
    BatchedWork orphans,
    long leasedNanos,
    AtomicBoolean ended) {

  /** Files up to this size travel whole with a lookup or an open. */
  static final int INLINE_BYTES = 128 << 10;

  NodeChannel channel() {
    return session.channel();
  }

  boolean isDataset() {
    return config.mode() == MountConfig.Mode.DATASET;
  }

  /** A command of the request's caller. */
  static Command.Builder command(FuseRequest request) {
    return Command.newBuilder().setUid(request.uid()).setGid(request.gid());
  }

  static ByteString bytes(byte[] name) {
    return ByteString.copyFrom(name);
  }
}
