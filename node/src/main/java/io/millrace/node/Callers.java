package io.millrace.node;

import com.google.protobuf.ByteString;
import io.millrace.core.access.Caller;
import io.millrace.core.access.Permissions;
import io.millrace.core.access.Squash;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.core.api.Namespace;
import io.millrace.proto.Command;
import io.millrace.proto.Inode;
import io.millrace.proto.OpenRequest;

/**
 * Who asks, after squashing. Commands are checked in the namespace, with the rows they change; an
 * open is checked here (decision 9 says what nobody can check).
 */
final class Callers {
  private static final ByteString ACL = ByteString.copyFromUtf8("system.posix_acl_access");

  private final Squash squash;
  private final Namespace namespace;

  Callers(Squash squash, Namespace namespace) {
    this.squash = squash;
    this.namespace = namespace;
  }

  /** Before the command is checked and new inodes get their owner. */
  void squash(Command.Builder command) {
    if (squash == Squash.NONE || command.hasCommitContent() || command.hasReapOrphan()) {
      return;
    }
    Caller caller =
        squash.apply(
            new Caller(
                command.getUid(),
                command.getGid(),
                command.getGroupsList(),
                command.getCapabilities()));
    command
        .setUid(caller.uid())
        .setGid(caller.gid())
        .clearGroups()
        .addAllGroups(caller.groups())
        .setCapabilities(caller.capabilities());
  }

  /**
   * @throws FsException EACCES
   */
  void checkOpen(Inode inode, OpenRequest request) {
    Caller claimed =
        new Caller(
            request.getUid(), request.getGid(), request.getGroupsList(), request.getCapabilities());
    Caller caller = squash.apply(claimed);
    if (caller.uid() == 0) {
      return;
    }
    ByteString acl = inode.getXattrs() ? namespace.xattr(inode.getIno(), ACL).orElse(null) : null;
    var permissions = new Permissions(inode.getUid(), inode.getGid(), inode.getMode(), acl);
    if (!permissions.allow(caller, Permissions.wanted(request.getFlags()))) {
      throw new FsException(Errno.EACCES, "permission denied", "inode", inode.getIno());
    }
  }
}
