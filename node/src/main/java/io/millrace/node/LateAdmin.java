package io.millrace.node;

import io.millrace.core.api.AdminHandler;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.proto.AdminReply;
import io.millrace.proto.AdminRequest;
import io.millrace.proto.Inode;

/** The link engine needs the node's notifier and the node needs it: it comes with the start. */
final class LateAdmin implements AdminHandler {
  private volatile AdminHandler handler;

  void set(AdminHandler answering) {
    handler = answering;
  }

  @Override
  public AdminReply handle(AdminRequest request) {
    return ready().handle(request);
  }

  @Override
  public String state(Inode inode) {
    return ready().state(inode);
  }

  @Override
  public String reason(Inode inode) {
    return ready().reason(inode);
  }

  private AdminHandler ready() {
    AdminHandler now = handler;
    if (now == null) {
      throw new FsException(Errno.EAGAIN, "the node is starting");
    }
    return now;
  }
}
