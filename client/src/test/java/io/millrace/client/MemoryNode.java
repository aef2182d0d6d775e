package io.millrace.client;

import com.google.protobuf.ByteString;
import com.google.protobuf.MessageLite;
import io.millrace.core.api.BlockId;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.core.api.Pinned;
import io.millrace.core.wire.NodeChannel;
import io.millrace.core.wire.Op;
import io.millrace.proto.Command;
import io.millrace.proto.CommandResult;
import io.millrace.proto.Empty;
import io.millrace.proto.EntryReply;
import io.millrace.proto.Extent;
import io.millrace.proto.Inode;
import io.millrace.proto.InodeRequest;
import io.millrace.proto.LookupRequest;
import io.millrace.proto.MutateRequest;
import io.millrace.proto.Notice;
import io.millrace.proto.NoticeAck;
import io.millrace.proto.OpenReply;
import io.millrace.proto.OpenRequest;
import io.millrace.proto.ReadReply;
import io.millrace.proto.ReadRequest;
import io.millrace.proto.ReaddirReply;
import io.millrace.proto.ReaddirRequest;
import io.millrace.proto.ReadlinkReply;
import io.millrace.proto.ReclaimReply;
import io.millrace.proto.StatfsReply;
import io.millrace.proto.Welcome;
import io.millrace.proto.WriteReply;
import io.millrace.proto.WriteRequest;
import io.millrace.proto.WrittenBlock;
import io.millrace.proto.XattrReply;
import io.millrace.proto.XattrRequest;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A node in memory behind the channel's port: checks what a node checks (checksums, sorted extents,
 * sequence numbers), counts requests, and can fail or delay answers.
 */
public final class MemoryNode implements NodeChannel {
  /** Gives answers: at once, or later in any order. */
  public interface Delivery {
    void deliver(Runnable answer);
  }

  final MemoryTree tree = new MemoryTree();
  private final Map<String, byte[]> blocks = new HashMap<>();
  private final Map<Op, AtomicInteger> counts = new EnumMap<>(Op.class);
  public final List<NoticeAck> acks = new CopyOnWriteArrayList<>();
  private volatile Delivery delivery = Runnable::run;
  private volatile FsException failWrites;
  private volatile NoticeListener listener;
  private final AtomicInteger pinned = new AtomicInteger();

  public MemoryNode() {
    for (Op op : Op.values()) {
      counts.put(op, new AtomicInteger());
    }
  }

  public void delivery(Delivery how) {
    delivery = how;
  }

  public void failWrites(Errno errno) {
    failWrites = errno == null ? null : new FsException(errno, "told to fail");
  }

  public int count(Op op) {
    return counts.get(op).get();
  }

  /** Requests but those that keep the session: what a user waits for. */
  public int total() {
    int sum = 0;
    for (Op op : List.of(Op.LOOKUP, Op.GETATTR, Op.READDIR, Op.OPEN, Op.READ, Op.WRITE)) {
      sum += count(op);
    }
    return sum + count(Op.MUTATE) + count(Op.XATTR) + count(Op.SYNC) + count(Op.READLINK);
  }

  /** For messages: all that was asked. */
  public String asked() {
    return counts.toString();
  }

  /** Replies whose payload nobody has closed. */
  public int pinnedReplies() {
    return pinned.get();
  }

  public MemoryTree tree() {
    return tree;
  }

  public void push(Notice notice) {
    listener.notice(notice);
  }

  public NoticeListener listener() {
    return listener;
  }

  @Override
  public void call(Op op, MessageLite header, MemorySegment payload, Callback callback) {
    counts.get(op).incrementAndGet();
    Reply reply;
    try {
      synchronized (this) {
        reply = serve(op, header, payload);
      }
    } catch (FsException e) {
      delivery.deliver(() -> callback.failed(e));
      return;
    }
    delivery.deliver(() -> callback.done(reply));
  }

  private Reply serve(Op op, MessageLite header, MemorySegment payload) {
    return switch (op) {
      case LOOKUP -> lookup((LookupRequest) header);
      case GETATTR -> reply(tree.inode(((InodeRequest) header).getIno()));
      case READDIR -> reply(readdir((ReaddirRequest) header));
      case OPEN -> open((OpenRequest) header);
      case READ -> read((ReadRequest) header);
      case WRITE -> write((WriteRequest) header, payload);
      case MUTATE -> reply(mutate(((MutateRequest) header).getCommand()));
      case READLINK ->
          reply(
              ReadlinkReply.newBuilder()
                  .setTarget(tree.target(((InodeRequest) header).getIno()))
                  .build());
      case XATTR -> xattr((XattrRequest) header);
      case STATFS ->
          reply(
              StatfsReply.newBuilder()
                  .setBytesTotal(1L << 40)
                  .setBytesFree(1L << 39)
                  .setFiles(1000)
                  .setFilesFree(1 << 20)
                  .build());
      case NOTICE_ACK -> {
        acks.add((NoticeAck) header);
        yield reply(Empty.getDefaultInstance());
      }
      case SEEK, COPY, LOCK -> throw new FsException(Errno.ENOSYS, "not here", "op", op);
      case RECLAIM -> reply(ReclaimReply.getDefaultInstance());
      case HELLO, RENEW, SYNC, RELEASE_LEASES, ADMIN, NOTICE, BYE, ERROR ->
          reply(Empty.getDefaultInstance());
    };
  }

  private static Reply reply(MessageLite header) {
    return new Reply(header, Pinned.EMPTY);
  }

  @SuppressWarnings("MustBeClosedChecker") // whoever gets the reply closes it
  private Reply reply(MessageLite header, byte[] bytes, int from, int length) {
    Arena arena = Arena.ofShared();
    MemorySegment copy = arena.allocate(Math.max(1, length)).asSlice(0, length);
    MemorySegment.copy(bytes, from, copy, ValueLayout.JAVA_BYTE, 0, length);
    pinned.incrementAndGet();
    return new Reply(
        header,
        new Pinned() {
          @Override
          public MemorySegment bytes() {
            return copy;
          }

          @Override
          public void close() {
            pinned.decrementAndGet();
            arena.close();
          }
        });
  }

  private Reply lookup(LookupRequest request) {
    Inode inode = tree.lookup(request.getDir(), request.getName());
    if (inode == null) {
      return reply(EntryReply.getDefaultInstance());
    }
    EntryReply.Builder entry = EntryReply.newBuilder().setInode(inode);
    byte[] content = tree.contentUpTo(inode, request.getWantContentUpTo());
    return content == null
        ? reply(entry.build())
        : reply(entry.setHasContent(true).build(), content, 0, content.length);
  }

  private Reply open(OpenRequest request) {
    Inode inode = tree.inode(request.getIno());
    OpenReply.Builder open = OpenReply.newBuilder().setInode(inode).setLease(true);
    byte[] content = tree.contentUpTo(inode, request.getWantContentUpTo());
    return content == null
        ? reply(open.build())
        : reply(open.setHasContent(true).build(), content, 0, content.length);
  }

  private ReaddirReply readdir(ReaddirRequest request) {
    List<Inode> rest = tree.list(request);
    int end = Math.min(rest.size(), request.getMaxEntries());
    return ReaddirReply.newBuilder()
        .addAllEntries(rest.subList(0, end))
        .setEnd(end == rest.size())
        .setSelf(tree.inode(request.getDir()))
        .build();
  }

  private Reply read(ReadRequest request) {
    Inode inode = tree.inode(request.getIno());
    byte[] content = tree.content(request.getIno());
    int from = (int) Math.min(request.getOffset(), content.length);
    int length = Math.min(request.getLength(), content.length - from);
    var header =
        ReadReply.newBuilder()
            .setContentSeq(inode.getContentSeq())
            .setSize(content.length)
            .setLease(request.getLease())
            .build();
    return reply(header, content, from, length);
  }

  private Reply write(WriteRequest request, MemorySegment payload) {
    if (failWrites != null) {
      throw failWrites;
    }
    long at = 0;
    for (WrittenBlock block : request.getBlocksList()) {
      MemorySegment bytes = payload.asSlice(at, block.getLength());
      if (Checksums.crc32c(bytes) != block.getCrc32C()) {
        throw new FsException(Errno.EIO, "checksum");
      }
      byte[] old =
          blocks.put(
              key(request.getIno(), request.getVersion(), block.getIndex()),
              bytes.toArray(ValueLayout.JAVA_BYTE));
      if (old != null) {
        throw new FsException(Errno.EEXIST, "a block was written twice");
      }
      at += block.getLength();
    }
    return reply(
        request.hasCommit() ? mutate(request.getCommit()) : WriteReply.getDefaultInstance());
  }

  private static String key(long ino, long version, long index) {
    return ino + "/" + version + "/" + index;
  }

  private WriteReply mutate(Command command) {
    if (command.getSession() != 7 || command.getSequence() == 0) {
      throw new FsException(Errno.EINVAL, "no session or sequence");
    }
    CommandResult.Builder result;
    try {
      result = tree.apply(command, this::bytes);
    } catch (FsException e) {
      result = CommandResult.newBuilder().setErrno(e.errno().code()).setMessage(e.getMessage());
    }
    return WriteReply.newBuilder().setResult(result).build();
  }

  /** The bytes of one extent, from blocks that were stored before. */
  private byte[] bytes(long ino, Extent extent) {
    byte[] bytes = new byte[(int) extent.getLength()];
    int done = 0;
    while (done < bytes.length) {
      long at = extent.getStreamOffset() + done;
      byte[] block = blocks.get(key(ino, extent.getVersion(), at / BlockId.MAX_BYTES));
      if (block == null) {
        throw new FsException(Errno.EIO, "commit of a block that was never stored");
      }
      int from = (int) (at % BlockId.MAX_BYTES);
      int n = Math.min(bytes.length - done, block.length - from);
      System.arraycopy(block, from, bytes, done, n);
      done += n;
    }
    return bytes;
  }

  private Reply xattr(XattrRequest request) {
    Map<ByteString, ByteString> all = tree.xattrs(request.getIno());
    if (request.getName().isEmpty()) {
      ByteString names = ByteString.EMPTY;
      for (ByteString name : new ArrayList<>(all.keySet())) {
        names = names.concat(name).concat(ByteString.copyFrom(new byte[1]));
      }
      return reply(XattrReply.newBuilder().setValue(names).build());
    }
    ByteString value = all.get(request.getName());
    if (value == null) {
      throw new FsException(Errno.ENODATA, "no such attribute");
    }
    return reply(XattrReply.newBuilder().setValue(value).build());
  }

  @Override
  public Reply await(Op op, MessageLite header, MemorySegment payload) {
    var answer = new CompletableFuture<Reply>();
    call(
        op,
        header,
        payload,
        new Callback() {
          @Override
          public void done(Reply reply) {
            answer.complete(reply);
          }

          @Override
          public void failed(FsException failure) {
            answer.completeExceptionally(failure);
          }
        });
    return answer.join();
  }

  @Override
  public Welcome welcome() {
    return Welcome.newBuilder().setSession(7).setSessionNumber(3).setLeaseMs(5000).build();
  }

  @Override
  public void onNotice(NoticeListener to) {
    listener = to;
  }

  @Override
  public void close() {}
}
