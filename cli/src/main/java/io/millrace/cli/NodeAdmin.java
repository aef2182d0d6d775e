package io.millrace.cli;

import com.google.protobuf.ByteString;
import io.millrace.core.api.AdminHandler;
import io.millrace.core.api.BlockStore;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.core.api.Namespace;
import io.millrace.link.LinkAdmin;
import io.millrace.link.LinkEngine;
import io.millrace.node.Node;
import io.millrace.proto.AdminReply;
import io.millrace.proto.AdminRequest;
import io.millrace.proto.Inode;
import io.millrace.proto.NodeStatus;
import java.lang.management.ManagementFactory;

/** Answers the command line: what concerns links is the link engine's, the rest is here. */
final class NodeAdmin implements AdminHandler {
  private final NodeOptions options;
  private final LinkEngine links;
  private final Namespace namespace;
  private final BlockStore blocks;
  private final Node node;

  NodeAdmin(
      NodeOptions options, LinkEngine links, Namespace namespace, BlockStore blocks, Node node) {
    this.options = options;
    this.links = links;
    this.namespace = namespace;
    this.blocks = blocks;
    this.node = node;
  }

  @Override
  public AdminReply handle(AdminRequest request) {
    if (LinkAdmin.serves(request)) {
      return links.admin().handle(request);
    }
    return switch (request.getKindCase()) {
      case STATUS -> AdminReply.newBuilder().setStatus(status()).build();
      case PATH_AT -> AdminReply.newBuilder().setPath(path(request.getPathAt().getIno())).build();
      case QUOTA_SET -> node.quotas().set(request.getQuotaSet());
      case QUOTA_QUERY -> node.quotas().query(request.getQuotaQuery());
      case QUOTA_REMOVE -> node.quotas().remove(request.getQuotaRemove().getPath());
      case TRASH_SET -> node.trash().set(request.getTrashSet());
      case TRASH_QUERY -> node.trash().query(request.getTrashQuery());
      case TRASH_RESTORE -> node.trash().restore(request.getTrashRestore());
      case TRASH_EMPTY -> node.trash().empty(request.getTrashEmpty());
      default -> throw new FsException(Errno.EOPNOTSUPP, "this node does not know that request");
    };
  }

  @Override
  public String state(Inode inode) {
    return links.state(inode);
  }

  @Override
  public String reason(Inode inode) {
    return links.reason(inode.getIno()).orElse("");
  }

  private ByteString path(long ino) {
    ByteString.Output path = ByteString.newOutput();
    for (ByteString name : namespace.path(ino)) {
      path.write('/');
      path.write(name.toByteArray(), 0, name.size());
    }
    return path.toByteString();
  }

  private NodeStatus status() {
    BlockStore.Usage usage = blocks.usage();
    return NodeStatus.newBuilder()
        .setNode(options.name())
        .setDirectory(options.directory().toString())
        .setInodes(namespace.inodes())
        .setL1Bytes(usage.l1Bytes())
        .setL1Capacity(usage.l1Capacity())
        .setDiskBytes(usage.diskBytes())
        .setDiskCapacity(usage.diskCapacity())
        .setDirtyBytes(usage.dirtyBytes())
        .setSessions(node.sessionCount())
        .setUptimeMs(ManagementFactory.getRuntimeMXBean().getUptime())
        .putAllCounters(node.counters())
        .build();
  }
}
