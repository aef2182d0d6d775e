package io.millrace.client.mount;

import com.google.protobuf.MessageLite;
import io.millrace.core.api.FsException;
import io.millrace.core.wire.NodeChannel;
import io.millrace.core.wire.NodeChannel.Reply;
import io.millrace.core.wire.Op;
import io.millrace.fuse.DetachedReply;

/**
 * Turns the node's reply into the kernel's answer, on the thread that got it. Whatever goes wrong
 * on the way becomes an errno: a request that was detached and never answered would hang its
 * caller.
 */
abstract class NodeAnswer implements NodeChannel.Callback {
  private final DetachedReply kernel;

  NodeAnswer(DetachedReply kernel) {
    this.kernel = kernel;
  }

  /** Answers the kernel; closes {@code reply} where its payload was not handed on. */
  abstract void answer(Reply reply, DetachedReply kernel);

  /** Whether it was asked once more, in another way. */
  boolean asksAgain(FsException failure) {
    return false;
  }

  /** The request failed: gives back what was kept for the answer. */
  void abandoned() {}

  private void fail(RuntimeException failure) {
    abandoned();
    kernel.fail(failure);
  }

  final void ask(NodeChannel channel, Op op, MessageLite request) {
    try {
      channel.call(op, request, null, this);
    } catch (RuntimeException e) {
      fail(e);
    }
  }

  @Override
  public final void done(Reply reply) {
    try {
      answer(reply, kernel);
    } catch (RuntimeException e) {
      fail(e);
    }
  }

  @Override
  public final void failed(FsException failure) {
    if (!asksAgain(failure)) {
      fail(failure);
    }
  }
}
