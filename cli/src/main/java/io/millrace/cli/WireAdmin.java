package io.millrace.cli;

import io.millrace.core.wire.ChannelConfig;
import io.millrace.core.wire.NodeChannel;
import io.millrace.core.wire.Op;
import io.millrace.proto.AdminReply;
import io.millrace.proto.AdminRequest;
import java.net.InetSocketAddress;

/** Administration over the wire, on a connection without a session. */
final class WireAdmin implements Admin {
  private final NodeChannel channel;

  WireAdmin(InetSocketAddress node) {
    channel =
        NodeLine.open(
            ChannelConfig.admin(
                node.getHostString(), node.getPort(), "millrace " + ProcessHandle.current().pid()));
  }

  @Override
  public AdminReply ask(AdminRequest request) {
    try (NodeChannel.Reply reply = channel.await(Op.ADMIN, request, null)) {
      return reply.as(AdminReply.class);
    }
  }

  @Override
  public void close() {
    channel.close();
  }
}
