package io.millrace.node;

import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.core.wire.RequestHandler.Responder;
import io.millrace.proto.CommandResult;

/** Nothing leaves a thread of the node's: every request gets an answer. */
final class Answers {
  private static final System.Logger LOG = System.getLogger(Answers.class.getName());

  private Answers() {}

  /**
   * @throws FsException the command failed
   */
  static CommandResult checked(CommandResult result) {
    if (result.getErrno() != 0) {
      throw new FsException(Errno.of(result.getErrno()), result.getMessage());
    }
    return result;
  }

  static void guard(Responder responder, Runnable work) {
    try {
      work.run();
    } catch (FsException e) {
      responder.fail(e);
    } catch (RuntimeException e) {
      LOG.log(System.Logger.Level.ERROR, "request failed", e);
      responder.fail(new FsException(e, Errno.EIO, "the node failed on this request"));
    }
  }
}
