package io.millrace.node;

import com.google.protobuf.ByteString;
import io.millrace.core.api.BlockId;
import io.millrace.core.api.FsException;
import io.millrace.core.wire.ChannelConfig;
import io.millrace.core.wire.NettyNodeChannel;
import io.millrace.core.wire.NodeChannel;
import io.millrace.core.wire.Op;
import io.millrace.proto.Command;
import io.millrace.proto.CommandResult;
import io.millrace.proto.CommitContent;
import io.millrace.proto.Create;
import io.millrace.proto.EntryReply;
import io.millrace.proto.Extent;
import io.millrace.proto.Inode;
import io.millrace.proto.LookupRequest;
import io.millrace.proto.Mkdir;
import io.millrace.proto.MutateRequest;
import io.millrace.proto.Notice;
import io.millrace.proto.NoticeAck;
import io.millrace.proto.NoticeItem;
import io.millrace.proto.OpenReply;
import io.millrace.proto.OpenRequest;
import io.millrace.proto.ReadRequest;
import io.millrace.proto.ReaddirReply;
import io.millrace.proto.ReaddirRequest;
import io.millrace.proto.ReapOrphan;
import io.millrace.proto.Reclaim;
import io.millrace.proto.ReclaimReply;
import io.millrace.proto.Unlink;
import io.millrace.proto.WriteReply;
import io.millrace.proto.WriteRequest;
import io.millrace.proto.WrittenBlock;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** A client whose caches are the test's: it answers notices by itself, or when it is told to. */
final class TestClient implements NodeChannel.NoticeListener, AutoCloseable {
  static final long ROOT = 1;
  final NettyNodeChannel channel;
  final BlockingQueue<Notice> notices = new LinkedBlockingQueue<>();
  final Set<Long> openHere = ConcurrentHashMap.newKeySet();
  final AtomicInteger lost = new AtomicInteger();
  volatile boolean answers = true;
  private final AtomicLong sequence = new AtomicLong();
  private final AtomicLong version = new AtomicLong();

  TestClient(ChannelConfig config) {
    channel = NettyNodeChannel.open(config);
    channel.onNotice(this);
  }

  @Override
  public void notice(Notice notice) {
    notices.add(notice);
    if (answers) {
      acknowledge(notice);
    }
  }

  void acknowledge(Notice notice) {
    var ack = NoticeAck.newBuilder().setId(notice.getId());
    notice.getItemsList().stream()
        .map(NoticeItem::getIno)
        .filter(openHere::contains)
        .distinct()
        .forEach(ack::addOpen);
    channel.call(Op.NOTICE_ACK, ack.build(), null, new Ignored());
  }

  @Override
  public void leasesLost() {
    lost.incrementAndGet();
    var reclaim = Reclaim.newBuilder().setBoot(channel.welcome().getBoot());
    channel.call(Op.RECLAIM, reclaim.addAllOpen(openHere).build(), null, new Ignored());
    channel.call(Op.RECLAIM, reclaim.clearOpen().setDropped(true).build(), null, new Ignored());
  }

  /** Which of the files open here have no name. */
  List<Long> reclaim() {
    var reclaim = Reclaim.newBuilder().setBoot(channel.welcome().getBoot()).addAllOpen(openHere);
    try (var reply = channel.await(Op.RECLAIM, reclaim.build(), null)) {
      return reply.as(ReclaimReply.class).getUnnamedList();
    }
  }

  @Override
  public void leaseAtRisk() {}

  Notice nextNotice() throws InterruptedException {
    Notice notice = notices.poll(15, TimeUnit.SECONDS);
    if (notice == null) {
      throw new AssertionError("no notice within 15 s");
    }
    return notice;
  }

  EntryReply lookup(long dir, String name) {
    return lookup(dir, name, 0).as(EntryReply.class);
  }

  NodeChannel.Reply lookup(long dir, String name, int wantContent) {
    return channel.await(
        Op.LOOKUP,
        LookupRequest.newBuilder()
            .setDir(dir)
            .setName(ByteString.copyFromUtf8(name))
            .setWantContentUpTo(wantContent)
            .build(),
        null);
  }

  List<String> list(long dir) {
    var request = ReaddirRequest.newBuilder().setDir(dir).setMaxEntries(100).setLease(true);
    try (var reply = channel.await(Op.READDIR, request.build(), null)) {
      return reply.as(ReaddirReply.class).getEntriesList().stream()
          .map(entry -> entry.getName().toStringUtf8())
          .toList();
    }
  }

  OpenReply open(long ino) {
    try (var reply = channel.await(Op.OPEN, OpenRequest.newBuilder().setIno(ino).build(), null)) {
      return reply.as(OpenReply.class);
    }
  }

  byte[] read(long ino, long offset, int length) {
    var request = ReadRequest.newBuilder().setIno(ino).setOffset(offset).setLength(length);
    try (var reply = channel.await(Op.READ, request.build(), null)) {
      return reply.payload().bytes().toArray(ValueLayout.JAVA_BYTE);
    }
  }

  Inode create(long dir, String name) {
    return join(mutate(
            Command.newBuilder()
                .setCreate(
                    Create.newBuilder()
                        .setDir(dir)
                        .setName(ByteString.copyFromUtf8(name))
                        .setMode(0100644))))
        .getInode();
  }

  Inode mkdir(long dir, String name) {
    return join(mutate(
            Command.newBuilder()
                .setMkdir(
                    Mkdir.newBuilder()
                        .setDir(dir)
                        .setName(ByteString.copyFromUtf8(name))
                        .setMode(0755))))
        .getInode();
  }

  CompletableFuture<CommandResult> unlink(long dir, String name, boolean open) {
    return mutate(
        Command.newBuilder()
            .setUnlink(
                Unlink.newBuilder()
                    .setDir(dir)
                    .setName(ByteString.copyFromUtf8(name))
                    .setOpen(open)));
  }

  CommandResult reap(long ino) {
    return join(mutate(Command.newBuilder().setReapOrphan(ReapOrphan.newBuilder().addIno(ino))));
  }

  CompletableFuture<CommandResult> mutate(Command.Builder command) {
    var answer = new CompletableFuture<CommandResult>();
    channel.call(
        Op.MUTATE,
        MutateRequest.newBuilder().setCommand(numbered(command)).build(),
        null,
        new Answer(answer));
    return answer;
  }

  private Command numbered(Command.Builder command) {
    return command
        .setFormat(1)
        .setSession(channel.welcome().getSession())
        .setSequence(sequence.incrementAndGet())
        .build();
  }

  /** One block at the start of a fresh version, and the commit, in one request. */
  CommandResult write(long ino, long fileOffset, byte[] bytes) {
    long fresh = (long) channel.welcome().getSessionNumber() << 32 | version.incrementAndGet();
    MemorySegment payload = MemorySegment.ofArray(bytes);
    var block =
        WrittenBlock.newBuilder()
            .setIndex(0)
            .setLength(bytes.length)
            .setCrc32C(MemoryBlocks.crc(payload));
    var extent =
        Extent.newBuilder().setFileOffset(fileOffset).setLength(bytes.length).setVersion(fresh);
    var commit =
        Command.newBuilder()
            .setCommitContent(
                CommitContent.newBuilder()
                    .setIno(ino)
                    .addExtents(extent)
                    .setSize(fileOffset + bytes.length));
    var request =
        WriteRequest.newBuilder()
            .setIno(ino)
            .setVersion(fresh)
            .addBlocks(block)
            .setCommit(numbered(commit))
            .build();
    try (var reply = channel.await(Op.WRITE, request, payload)) {
      return reply.as(WriteReply.class).getResult();
    }
  }

  /** A block of a fresh version that nothing refers to yet. */
  BlockId store(long ino, byte[] bytes) {
    long fresh = (long) channel.welcome().getSessionNumber() << 32 | version.incrementAndGet();
    MemorySegment payload = MemorySegment.ofArray(bytes);
    var block =
        WrittenBlock.newBuilder()
            .setIndex(0)
            .setLength(bytes.length)
            .setCrc32C(MemoryBlocks.crc(payload));
    var request = WriteRequest.newBuilder().setIno(ino).setVersion(fresh).addBlocks(block).build();
    channel.await(Op.WRITE, request, payload).close();
    return new BlockId(ino, fresh, 0);
  }

  /** Publishes a block that was stored before. */
  CompletableFuture<CommandResult> commit(BlockId block, int length) {
    var extent = Extent.newBuilder().setLength(length).setVersion(block.version());
    return mutate(
        Command.newBuilder()
            .setCommitContent(
                CommitContent.newBuilder().setIno(block.ino()).addExtents(extent).setSize(length)));
  }

  static CommandResult join(CompletableFuture<CommandResult> answer) {
    try {
      return answer.get(20, TimeUnit.SECONDS);
    } catch (ExecutionException | InterruptedException | TimeoutException e) {
      throw new AssertionError(e);
    }
  }

  @Override
  public void close() {
    channel.close();
  }

  private record Answer(CompletableFuture<CommandResult> future) implements NodeChannel.Callback {
    @Override
    public void done(NodeChannel.Reply reply) {
      CommandResult result = reply.as(WriteReply.class).getResult();
      reply.close();
      future.complete(result);
    }

    @Override
    public void failed(FsException failure) {
      future.completeExceptionally(failure);
    }
  }

  private static final class Ignored implements NodeChannel.Callback {
    @Override
    public void done(NodeChannel.Reply reply) {
      reply.close();
    }

    @Override
    public void failed(FsException failure) {}
  }
}
