package io.millrace.cli;

import io.millrace.core.api.FsException;
import io.millrace.core.wire.ChannelConfig;
import io.millrace.core.wire.NettyNodeChannel;

/** Opens a line to a node. That nobody answers there is exit code 3, whatever the cause. */
final class NodeLine {
  private NodeLine() {}

  static NettyNodeChannel open(ChannelConfig config) {
    try {
      return NettyNodeChannel.open(config);
    } catch (FsException e) {
      throw new CliException(Main.NO_CONNECTION, e.getMessage());
    }
  }
}
