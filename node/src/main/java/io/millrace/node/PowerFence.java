package io.millrace.node;

import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.core.api.Namespace;
import io.millrace.proto.Command;
import io.millrace.proto.ReapOrphan;

/**
 * What stands between a look into the namespace and a drop of blocks that nothing there refers to:
 * a power cut could take back the command that let go of them, but not the drop. Safe for many
 * threads.
 */
final class PowerFence {
  private final Namespace namespace;
  private final Stamps stamps;

  PowerFence(Namespace namespace, Stamps stamps) {
    this.namespace = namespace;
    this.stamps = stamps;
  }

  /** On return all commands applied before the call survive power loss. */
  void pass() {
    Command.Builder nothing = Command.newBuilder().setReapOrphan(ReapOrphan.getDefaultInstance());
    var result = namespace.apply(stamps.own(nothing), true);
    if (result.getErrno() != 0) {
      throw new FsException(Errno.of(result.getErrno()), "not synced", "why", result.getMessage());
    }
  }
}
