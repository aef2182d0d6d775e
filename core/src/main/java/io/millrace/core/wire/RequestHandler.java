package io.millrace.core.wire;

import com.google.protobuf.MessageLite;
import io.millrace.core.api.FsException;
import io.millrace.core.api.Pinned;
import io.millrace.proto.Notice;
import java.lang.foreign.MemorySegment;

/** The node's side: what serves requests, however they came. */
public interface RequestHandler {

  /**
   * Serves one request. Must not block the calling thread for long: what may (disk, bucket,
   * journal) goes to threads of the handler's own, and answers later.
   *
   * @param payload valid until the answer was given
   */
  void handle(Peer peer, Op op, MessageLite header, MemorySegment payload, Responder responder);

  /** The peer's line was cut. Its session goes on until it comes back or runs out. */
  void closed(Peer peer);

  /** One connected client. The handler keeps its session's state in {@link #attach}. */
  interface Peer {
    void push(Notice notice);

    void attach(Object state);

    Object attachment();

    /**
     * Whether the thread that calls {@link RequestHandler#handle} may block on disk or journal:
     * true in the same process (a FUSE worker asks), false for an event loop.
     */
    boolean mayBlock();

    /** For messages. */
    String name();

    /** Cuts the line: the client comes back with HELLO. */
    void close();
  }

  /** Exactly one of the two, once, on any thread. */
  interface Responder {
    /**
     * @param payload closed by the channel once it was sent; {@code null} for none
     */
    void reply(MessageLite header, Pinned payload);

    void fail(FsException failure);
  }
}
