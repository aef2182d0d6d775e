package io.millrace.client.mount;

import io.millrace.client.DirtyFile;
import io.millrace.core.api.Errno;
import io.millrace.core.wire.NodeChannel.Reply;
import io.millrace.core.wire.Op;
import io.millrace.fuse.CopyRange;
import io.millrace.fuse.DetachedReply;
import io.millrace.fuse.FuseRequest;
import io.millrace.proto.Command;
import io.millrace.proto.CommitContent;
import io.millrace.proto.CopyReply;
import io.millrace.proto.CopyRequest;
import io.millrace.proto.Extent;
import io.millrace.proto.Fallocate;
import io.millrace.proto.SeekReply;
import io.millrace.proto.SeekRequest;

/**
 * Room and holes: fallocate, SEEK_DATA and SEEK_HOLE, copies within the node. The node answers from
 * extents, so what this client has written is committed first. The kernel holds the file's lock
 * meanwhile: no write comes between. Any thread.
 */
final class SpaceCalls {
  private static final int KEEP_SIZE = 1;
  private static final int PUNCH_HOLE = 2;
  private static final int ZERO_RANGE = 0x10;
  private static final int SEEK_HOLE = 4;

  private final MountContext context;
  private final Mutations mutations;

  SpaceCalls(MountContext context, Mutations mutations) {
    this.context = context;
    this.mutations = mutations;
  }

  private void committed(DetachedReply kernel, long ino, Runnable then) {
    DirtyFile dirty = context.writeBack().find(ino);
    if (dirty == null || dirty.isClean()) {
      then.run();
      return;
    }
    dirty.commit(
        false,
        (inode, failure) -> {
          if (failure == null) {
            then.run();
          } else {
            kernel.fail(failure);
          }
        });
  }

  void fallocate(FuseRequest request, long ino, long offset, long length, int mode) {
    if ((mode & ~(KEEP_SIZE | PUNCH_HOLE | ZERO_RANGE)) != 0) {
      request.error(Errno.EOPNOTSUPP.code());
      return;
    }
    var op =
        Fallocate.newBuilder()
            .setIno(ino)
            .setOffset(offset)
            .setLength(length)
            .setZero((mode & (PUNCH_HOLE | ZERO_RANGE)) != 0)
            .setKeepSize((mode & KEEP_SIZE) != 0)
            .setKillSuid(request.uid() != 0);
    Command.Builder command = MountContext.command(request).setFallocate(op);
    DetachedReply kernel = request.detach();
    committed(kernel, ino, () -> mutations.changeContent(kernel, command, inode -> kernel.ok()));
  }

  void lseek(FuseRequest request, long ino, long offset, int whence) {
    var question =
        SeekRequest.newBuilder().setIno(ino).setOffset(offset).setHole(whence == SEEK_HOLE).build();
    DetachedReply kernel = request.detach();
    committed(
        kernel,
        ino,
        () ->
            new NodeAnswer(kernel) {
              @Override
              void answer(Reply reply, DetachedReply to) {
                try (reply) {
                  to.seeked(reply.as(SeekReply.class).getOffset());
                }
              }
            }.ask(context.channel(), Op.SEEK, question));
  }

  void copy(FuseRequest request, CopyRange range) {
    if (range.flags() != 0) {
      request.error(Errno.EINVAL.code());
      return;
    }
    Command.Builder command = MountContext.command(request);
    DetachedReply kernel = request.detach();
    committed(
        kernel,
        range.nodeidIn(),
        () -> committed(kernel, range.nodeidOut(), () -> copyCommitted(kernel, command, range)));
  }

  /** The blocks first, then the commit that shows them: a copy is seen whole or not at all. */
  private void copyCommitted(DetachedReply kernel, Command.Builder command, CopyRange range) {
    long version = context.session().newVersion();
    var question =
        CopyRequest.newBuilder()
            .setFrom(range.nodeidIn())
            .setOffset(range.offsetIn())
            .setLength(range.lengthBytes())
            .setTo(range.nodeidOut())
            .setVersion(version)
            .build();
    new NodeAnswer(kernel) {
      @Override
      void answer(Reply reply, DetachedReply to) {
        long length = reply.as(CopyReply.class).getLength();
        reply.close();
        if (length == 0) {
          to.written(0);
        } else {
          publish(to, command, range, version, length);
        }
      }
    }.ask(context.channel(), Op.COPY, question);
  }

  private void publish(
      DetachedReply kernel, Command.Builder command, CopyRange range, long version, long length) {
    var extent =
        Extent.newBuilder().setFileOffset(range.offsetOut()).setLength(length).setVersion(version);
    var commit =
        CommitContent.newBuilder()
            .setIno(range.nodeidOut())
            .addExtents(extent)
            .setSize(range.offsetOut() + length)
            .setKillSuid(command.getUid() != 0);
    mutations.changeContent(
        kernel, command.setCommitContent(commit), inode -> kernel.written(length));
  }
}
