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
import io.millrace.proto.ReapOrphan;
import io.millrace.proto.Welcome;
import io.millrace.proto.WriteReply;
import io.millrace.proto.WriteRequest;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
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

    /** The command is about to leave, under this number; before either of the two. */
    default void numbered(long sequence) {}
  }

  private final NodeChannel channel;
  private final MountLedger ledger;
  private final SentCommands commands;
  private final boolean sessionLost;
  private final ReentrantLock lock = new ReentrantLock();
  private final SequenceWindow window;
  private final ArrayDeque<Numbered> waiting = new ArrayDeque<>();

  public NodeSession(NodeChannel channel) {
    this(channel, MountLedger.none());
  }

  /** Goes on with the session that the ledger names, where the channel has it. */
  public NodeSession(NodeChannel channel, MountLedger ledger) {
    this.channel = channel;
    this.ledger = ledger;
    this.commands = ledger.commands();
    long session = channel.welcome().getSession();
    this.sessionLost = ledger.session() != 0 && ledger.session() != session;
    if (sessionLost) {
      commands.newSession();
    }
    ledger.session(session);
    this.window = new SequenceWindow(WINDOW, commands.last() + 1);
  }

  public MountLedger ledger() {
    return ledger;
  }

  /** The node was restarted or the session is a new one: the next process needs to know it. */
  public void renewed() {
    long session = channel.welcome().getSession();
    if (session != ledger.session()) {
      commands.newSession();
      ledger.session(session);
    }
  }

  /**
   * Whether a command that another process sent has changed an inode. Blocks; a command that was
   * still on its way has no effect any more, for its number is taken.
   */
  public boolean wasApplied(long sequence) {
    if (sessionLost || sequence == 0) {
      return false;
    }
    Command nothing =
        Command.newBuilder()
            .setFormat(1)
            .setSession(channel.welcome().getSession())
            .setSequence(sequence)
            .setReapOrphan(ReapOrphan.getDefaultInstance())
            .build();
    var request = MutateRequest.newBuilder().setCommand(nothing).build();
    try (Reply reply = channel.await(Op.MUTATE, request, null)) {
      CommandResult result = reply.as(WriteReply.class).getResult();
      return result.getErrno() == 0 && result.hasInode();
    }
  }

  /** Commands that another process sent for no request of the kernel take no effect from now on. */
  public void fenceEarlier() {
    commands.unanswered().forEach(this::wasApplied);
  }

  public NodeChannel channel() {
    return channel;
  }

  /** A content version that no other writer uses: the session's number above a counter. */
  public long newVersion() {
    long number = channel.welcome().getSessionNumber();
    return number << 32 | Integer.toUnsignedLong(ledger.nextVersion());
  }

  public void mutate(Command.Builder command, boolean sync, Outcome outcome) {
    mutate(command, sync, 0, outcome);
  }

  /**
   * A command that the kernel's request {@code key} asks for: where another process has sent it
   * already, it has its effect once and gets its first answer (H6). One command of a kind for each
   * request.
   */
  public void mutate(Command.Builder command, boolean sync, long key, Outcome outcome) {
    send(
        new Numbered(
            outcome,
            key,
            command,
            c -> MutateRequest.newBuilder().setCommand(c).setSync(sync).build(),
            Op.MUTATE,
            null));
  }

  /** Blocks that {@code write} names, and the commit in the same request. */
  public void commit(
      WriteRequest.Builder write, Command.Builder commit, MemorySegment payload, Outcome outcome) {
    send(new Numbered(outcome, 0, commit, c -> write.setCommit(c).build(), Op.WRITE, payload));
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
    long earlier = commands.earlier(command.key, command.kind());
    if (earlier != 0) {
      command.sendAgain(earlier);
      return;
    }
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
    private final long key;
    private final Command.Builder command;
    private final Wrap wrap;
    private final Op op;
    private final MemorySegment payload;
    private long sequence;
    private boolean again;

    Numbered(
        Outcome outcome,
        long key,
        Command.Builder command,
        Wrap wrap,
        Op op,
        MemorySegment payload) {
      this.outcome = outcome;
      this.key = key;
      this.command = command;
      this.wrap = wrap;
      this.op = op;
      this.payload = payload;
    }

    int kind() {
      return command.getOpCase().getNumber();
    }

    /** Outside of the window: the number is another process's. */
    void sendAgain(long number) {
      sequence = number;
      again = true;
      if (sessionLost) {
        failed(
            new FsException(
                Errno.ESTALE, "the session ended before the node answered", "sequence", number));
      } else {
        send();
      }
    }

    void send() {
      try {
        if (!again) {
          commands.sent(sequence, key, kind());
          outcome.numbered(sequence);
        }
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
      try {
        if (result.getErrno() == 0) {
          outcome.done(result);
        } else {
          outcome.failed(
              new FsException(
                  Errno.of(result.getErrno()), "refused by the node", "why", result.getMessage()));
        }
      } finally {
        settled();
      }
    }

    @Override
    public void failed(FsException failure) {
      try {
        outcome.failed(failure);
      } finally {
        settled();
      }
    }

    /** Only once the kernel has its answer: until then its request may come again elsewhere. */
    private void settled() {
      if (!again) {
        commands.answered(sequence);
        answered(sequence);
      }
    }
  }
}
