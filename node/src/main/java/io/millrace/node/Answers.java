package io.millrace.node;

import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.core.wire.RequestHandler.Responder;

/** Nothing leaves a thread of the node's: every request gets an answer. */
final class Answers {
  private static final System.Logger LOG = System.getLogger(Answers.class.getName());

  private Answers() {}

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
