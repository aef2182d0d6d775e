package io.millrace.client.mount;

import io.millrace.client.NodeSession;
import io.millrace.core.api.FsException;
import io.millrace.fuse.DetachedReply;
import io.millrace.proto.CommandResult;
import java.util.function.Consumer;

/**
 * A command's result as the kernel's answer; a failure on the way is one too.
 *
 * @param afterwards runs when the kernel has its answer, whichever it is
 */
record CommandAnswer(DetachedReply kernel, Consumer<CommandResult> onDone, Runnable afterwards)
    implements NodeSession.Outcome {

  CommandAnswer(DetachedReply kernel, Consumer<CommandResult> onDone) {
    this(kernel, onDone, () -> {});
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
    kernel.fail(failure);
    afterwards.run();
  }
}
