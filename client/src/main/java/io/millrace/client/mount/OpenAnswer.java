package io.millrace.client.mount;

import io.millrace.core.api.FsException;
import io.millrace.core.wire.NodeChannel;
import io.millrace.core.wire.Op;
import io.millrace.fuse.DetachedReply;
import io.millrace.proto.OpenRequest;

/** Of an open: the node may need to know the groups of who asks. */
abstract class OpenAnswer extends NodeAnswer {
  private final NodeChannel channel;
  private final DetachedReply kernel;
  private final PendingOpen pending;
  private final OpenRequest.Builder question;

  OpenAnswer(
      NodeChannel channel,
      DetachedReply kernel,
      PendingOpen pending,
      OpenRequest.Builder question) {
    super(kernel);
    this.channel = channel;
    this.kernel = kernel;
    this.pending = pending;
    this.question = question.setUid(kernel.uid()).setGid(kernel.gid());
  }

  final void ask() {
    ask(channel, Op.OPEN, question.build());
  }

  @Override
  final void abandoned() {
    pending.end();
  }

  @Override
  final boolean asksAgain(FsException failure) {
    boolean told = question.getGroupsCount() > 0 || question.getCapabilities() != 0;
    if (told || !CommandAnswer.isRefusal(failure)) {
      return false;
    }
    ProcessGroups groups = ProcessGroups.of(kernel);
    if (groups.isEmpty()) {
      return false;
    }
    groups.tell(question);
    ask();
    return true;
  }
}
