package io.millrace.client;

import com.google.protobuf.MessageLite;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.core.wire.NodeChannel;
import io.millrace.core.wire.NodeChannel.Reply;
import io.millrace.core.wire.Op;
import io.millrace.proto.Command;
import io.millrace.proto.CommandResult;
import io.millrace.proto.MutateRequest;
import io.millrace.proto.Welcome;
import io.millrace.proto.WriteReply;
import io.millrace.proto.WriteRequest;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

/**
 * The session's side of a {@link NodeChannel}: numbers commands (H6) and names content versions.
 * Never blocks: commands beyond the window wait in a queue that the number of kernel requests and
 * write-back buffers bounds.
 */
public final class NodeSession {
  /** Commands that may be unanswered at once. */
  static final int WINDOW = 256;

  /** One of the two, once; on a thread of the channel or the caller's, which it must not block. */
  public interface Outcome {
    void done(CommandResult result);

    void failed(FsException failure);
  }

  private final NodeChannel channel;
  private final ReentrantLock lock = new ReentrantLock();
  private final SequenceWindow window = new SequenceWindow(WINDOW);
  private final ArrayDeque<Numbered> waiting = new ArrayDeque<>();
  private final AtomicInteger versions = new AtomicInteger();

  public NodeSession(NodeChannel channel) {
    this.channel = channel;
  }

  public NodeChannel channel() {
    return channel;
  }

  /** A content version that no other writer uses: the session's number above a counter. */
  public long newVersion() {
    long number = channel.welcome().getSessionNumber();
    return number << 32 | Integer.toUnsignedLong(versions.incrementAndGet());
  }

  public void mutate(Command.Builder command, boolean sync, Outcome outcome) {
    send(
        new Numbered(
            outcome,
            command,
            c -> MutateRequest.newBuilder().setCommand(c).setSync(sync).build(),
            Op.MUTATE,
            null));
  }

  /** Blocks that {@code write} names, and the commit in the same request. */
  public void commit(
      WriteRequest.Builder write, Command.Builder commit, MemorySegment payload, Outcome outcome) {
    send(new Numbered(outcome, commit, c -> write.setCommit(c).build(), Op.WRITE, payload));
  }

  /** Blocks without a commit. */
  public void store(WriteRequest write, MemorySegment payload, Consumer<FsException> outcome) {
    channel.call(
        Op.WRITE,
        write,
        payload,
        new NodeChannel.Callback() {
          @Override
          public void done(Reply reply) {
            reply.close();
            outcome.accept(null);
          }

          @Override
          public void failed(FsException failure) {
            outcome.accept(failure);
          }
        });
  }

  private void send(Numbered command) {
    lock.lock();
    try {
      command.sequence = window.take();
      if (command.sequence == 0) {
        waiting.add(command);
        return;
      }
    } finally {
      lock.unlock();
    }
    command.send();
  }

  private void answered(long sequence) {
    Numbered next = null;
    lock.lock();
    try {
      window.answered(sequence);
      if (!waiting.isEmpty()) {
        long number = window.take();
        if (number != 0) {
          next = waiting.poll();
          next.sequence = number;
        }
      }
    } finally {
      lock.unlock();
    }
    if (next != null) {
      next.send();
    }
  }

  /** How a command with its number becomes a request. */
  private interface Wrap {
    MessageLite request(Command command);
  }

  /** A command on its way. */
  private final class Numbered implements NodeChannel.Callback {
    private final Outcome outcome;
    private final Command.Builder command;
    private final Wrap wrap;
    private final Op op;
    private final MemorySegment payload;
    private long sequence;

    Numbered(Outcome outcome, Command.Builder command, Wrap wrap, Op op, MemorySegment payload) {
      this.outcome = outcome;
      this.command = command;
      this.wrap = wrap;
      this.op = op;
      this.payload = payload;
    }

    void send() {
      try {
        Welcome welcome = channel.welcome();
        command.setFormat(1).setSession(welcome.getSession()).setSequence(sequence);
        channel.call(op, wrap.request(command.build()), payload, this);
      } catch (FsException e) {
        failed(e);
      }
    }

    @Override
    public void done(Reply reply) {
      CommandResult result = reply.as(WriteReply.class).getResult();
      reply.close();
      answered(sequence);
      if (result.getErrno() == 0) {
        outcome.done(result);
      } else {
        outcome.failed(
            new FsException(
                Errno.of(result.getErrno()), "refused by the node", "why", result.getMessage()));
      }
    }

    @Override
    public void failed(FsException failure) {
      answered(sequence);
      outcome.failed(failure);
    }
  }
}
