package io.millrace.node;

import io.millrace.core.api.BlockId;
import io.millrace.core.api.BlockStore;
import io.millrace.core.api.ContentSource.Urgency;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.core.api.Namespace;
import io.millrace.core.api.Pinned;
import io.millrace.core.wire.RequestHandler.Responder;
import io.millrace.proto.CopyReply;
import io.millrace.proto.CopyRequest;

/**
 * COPY: bytes of one file become blocks of another without passing through a client. A block
 * belongs to one inode, so they are copied, not shared. A request that comes twice finds the blocks
 * of the first time, which stay as they are. On threads that may block on the disk; only what must
 * come from the bucket is waited for elsewhere (H28), after which the request starts again.
 */
final class ContentCopy {
  /** More takes another request, so that none holds a thread for long. */
  private static final long REQUEST_BYTES_MAX = 4L * BlockId.MAX_BYTES;

  private static final int ATTEMPTS = 8;

  private final Namespace namespace;
  private final BlockStore blocks;
  private final ContentReader reader;
  private final NodeThreads threads;

  ContentCopy(Namespace namespace, BlockStore blocks, ContentReader reader, NodeThreads threads) {
    this.namespace = namespace;
    this.blocks = blocks;
    this.reader = reader;
    this.threads = threads;
  }

  private record Job(CopyRequest request, Responder responder, int attempts) {}

  void copy(ClientSession session, CopyRequest request, Responder responder) {
    if (session == null
        || request.getVersion() >>> 32 != Integer.toUnsignedLong(session.number)
        || request.getOffset() < 0
        || request.getLength() < 0) {
      throw new FsException(Errno.EINVAL, "nothing to copy", "inode", request.getFrom());
    }
    session.writes(request.getTo());
    run(new Job(request, responder, ATTEMPTS));
  }

  private void run(Job job) {
    CopyRequest request = job.request;
    long left = Math.min(request.getLength(), REQUEST_BYTES_MAX);
    long done = 0;
    for (int index = 0; done < left; index++) {
      int wanted = (int) Math.min(BlockId.MAX_BYTES, left - done);
      ContentReader.Plan plan =
          reader.plan(namespace.inode(request.getFrom()), request.getOffset() + done, wanted);
      var target = new BlockId(request.getTo(), request.getVersion(), index);
      if (plan.length > 0 && !stored(plan, target)) {
        fetch(job, plan);
        return;
      }
      done += plan.length;
      if (plan.length < wanted) {
        break;
      }
    }
    job.responder.reply(CopyReply.newBuilder().setLength(done).build(), null);
  }

  /** False where a part of it is not here. */
  private boolean stored(ContentReader.Plan plan, BlockId target) {
    var here = reader.atHand(plan);
    if (here.isEmpty()) {
      return false;
    }
    try (Pinned bytes = here.get();
        BlockStore.Draft draft = blocks.begin(target, plan.length, BlockStore.Kind.DIRTY)) {
      draft.bytes().copyFrom(bytes.bytes());
      draft.commit().close();
      return true;
    }
  }

  private void fetch(Job job, ContentReader.Plan plan) {
    if (job.attempts == 0) {
      throw new FsException(Errno.EOPNOTSUPP, "no room to keep what is copied");
    }
    threads.waiting(
        () ->
            Answers.guard(
                job.responder,
                () -> {
                  reader.fetch(plan, Urgency.READER).ifPresent(Pinned::close);
                  var again = new Job(job.request, job.responder, job.attempts - 1);
                  threads.onDisk(() -> Answers.guard(again.responder, () -> run(again)));
                }));
  }
}
