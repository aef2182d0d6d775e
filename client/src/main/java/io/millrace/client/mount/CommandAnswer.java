package io.millrace.client.mount;

import io.millrace.client.NodeSession;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.fuse.DetachedReply;
import io.millrace.proto.Command;
import io.millrace.proto.CommandResult;
import java.util.function.Consumer;

/**
 * A command's result as the kernel's answer; a failure on the way is one too. Where the node
 * refuses what the kernel has allowed, it may be for groups that it was not told of.
 *
 * @param afterwards runs when the kernel has its answer, whichever it is
 */
record CommandAnswer(
    NodeSession session,
    DetachedReply kernel,
    Command.Builder command,
    Consumer<CommandResult> onDone,
    Runnable afterwards)
    implements NodeSession.Outcome {

  /** Sends the command and answers the kernel with what comes of it. */
  static void send(
      NodeSession session,
      DetachedReply kernel,
      Command.Builder command,
      Consumer<CommandResult> onDone) {
    new CommandAnswer(session, kernel, command, onDone, () -> {}).send();
  }

  void send() {
    try {
      session.mutate(command, false, kernel.key(), this);
    } catch (RuntimeException e) {
      kernel.fail(e);
      afterwards.run();
    }
  }

  @Override
  public void done(CommandResult result) {
    try {
      onDone.accept(result);
    } catch (RuntimeException e) {
      kernel.fail(e);
    } finally {
      afterwards.run();
    }
  }

  @Override
  public void failed(FsException failure) {
    if (isRefusal(failure) && toldMore()) {
      send();
    } else {
      kernel.fail(failure);
      afterwards.run();
    }
  }

  private boolean toldMore() {
    if (command.getGroupsCount() > 0 || command.getCapabilities() != 0) {
      return false;
    }
    ProcessGroups groups = ProcessGroups.of(kernel);
    groups.tell(command);
    return !groups.isEmpty();
  }

  static boolean isRefusal(FsException failure) {
    return failure.errno() == Errno.EACCES || failure.errno() == Errno.EPERM;
  }
}
