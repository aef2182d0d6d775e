package io.millrace.link;

import io.millrace.core.api.Namespace;
import io.millrace.proto.CloseSession;
import io.millrace.proto.Command;
import io.millrace.proto.CommandResult;
import io.millrace.proto.OpenSession;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Content versions for files that an export pieces together anew. The link engine is a session of
 * the namespace for this alone: the session's number makes its versions unique.
 */
final class ContentVersions implements AutoCloseable {
  /** The prefix tells the node that this session can't outlive the process. */
  private static final String CLIENT = "in-process millrace-link";

  private final LinkParts parts;
  private final AtomicLong counter = new AtomicLong();
  private long session;
  private long upper;

  ContentVersions(LinkParts parts) {
    this.parts = parts;
  }

  synchronized long next() {
    if (session == 0) {
      closeLeftovers();
      CommandResult opened =
          parts
              .writer()
              .apply(
                  Command.newBuilder().setOpenSession(OpenSession.newBuilder().setClient(CLIENT)));
      session = opened.getSession();
      upper = Integer.toUnsignedLong(opened.getSessionNumber()) << 32;
    }
    return upper | counter.incrementAndGet();
  }

  /** Sessions of an engine that was killed. */
  private void closeLeftovers() {
    for (Namespace.Session old : parts.namespace().sessions()) {
      if (old.client().equals(CLIENT)) {
        closeSession(old.id());
      }
    }
  }

  private void closeSession(long id) {
    parts
        .writer()
        .apply(Command.newBuilder().setCloseSession(CloseSession.newBuilder().setSession(id)));
  }

  @Override
  public synchronized void close() {
    if (session != 0) {
      closeSession(session);
      session = 0;
    }
  }
}
