package io.millrace.core.wire;

import com.google.protobuf.MessageLite;
import io.millrace.core.api.FsException;
import io.millrace.core.api.Pinned;
import io.millrace.proto.Notice;
import io.millrace.proto.Welcome;
import java.lang.foreign.MemorySegment;

/**
 * A client's way to a node: over the wire, or straight into a node of the same process. Safe for
 * many threads. Survives the node's restart: calls wait, then go on, in the order of the session's
 * sequence numbers where they have one (H6).
 */
public interface NodeChannel extends AutoCloseable {

  /**
   * Sends a request. The callback runs exactly once, possibly before this returns, on the calling
   * thread or on a thread of the channel, which it must not block.
   *
   * <p>Back-pressure: blocks while {@code maxInFlight} requests are unanswered (a node that is away
   * included); on a thread of the channel itself, where it can't block, it goes up to four times
   * that and then fails with EAGAIN. RENEW, NOTICE_ACK, RELEASE_LEASES, RECLAIM, LOCK (which may
   * wait for other clients) and BYE are exempt.
   *
   * @param payload null for none; read before the callback runs, and until it ran
   */
  void call(Op op, MessageLite header, MemorySegment payload, Callback callback);

  /**
   * {@link #call} and wait. An interrupt ends the wait with EINTR and the request goes on; with a
   * payload the wait goes on too, as the payload must stay.
   */
  Reply await(Op op, MessageLite header, MemorySegment payload);

  /**
   * The session that commands carry, as the node last welcomed it: the channel says HELLO by
   * itself. Blocks until the first welcome; a later one (the session was lost) replaces it before
   * {@link NoticeListener#leasesLost} is called, and mutations of the old one that were unanswered
   * fail with ESTALE.
   *
   * @throws FsException ENOTCONN closed, or the node refused
   */
  Welcome welcome();

  /** Where notices of the node go; set once, before the first call. */
  void onNotice(NoticeListener listener);

  /** Ends the session (its leases, its orphans); calls still unanswered fail with ECANCELED. */
  @Override
  void close();

  /** A reply's header, and its payload, which whoever gets the reply closes. */
  record Reply(MessageLite header, Pinned payload) implements AutoCloseable {
    public <T extends MessageLite> T as(Class<T> type) {
      return type.cast(header);
    }

    @Override
    public void close() {
      payload.close();
    }
  }

  /** Exactly one of the two is called, once. */
  interface Callback {
    void done(Reply reply);

    void failed(FsException failure);
  }

  /** Called on a thread of the channel, which it must not block. */
  interface NoticeListener {
    void notice(Notice notice);

    /**
     * The session has no leases any more (the node restarted, or did not hear from us in time):
     * nothing cached may be served until it is asked for again.
     */
    void leasesLost();

    /**
     * The node can't be reached and the lease is about to end (H9): fence. {@link #leasesLost}
     * follows when it answers again.
     */
    void leaseAtRisk();
  }
}
