package io.millrace.node;

import io.millrace.core.api.BlockId;
import io.millrace.core.api.ContentSource;
import io.millrace.core.api.ContentSource.Urgency;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.core.api.Namespace;
import io.millrace.core.api.Pinned;
import io.millrace.core.wire.RequestHandler.Peer;
import io.millrace.core.wire.RequestHandler.Responder;
import io.millrace.proto.Inode;
import io.millrace.proto.ReadReply;
import io.millrace.proto.ReadRequest;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * READ: from memory on the calling thread, from disk on a disk thread, from the bucket by whoever
 * brings the block, several blocks on a virtual thread (H28). A block that vanishes while it is
 * read (its content was replaced, its version merged) makes the range be planned anew.
 */
final class ReadRequests {
  private static final int ATTEMPTS = 8;

  private final Namespace namespace;
  private final ContentReader reader;
  private final Leases leases;
  private final InodeCache inodes;
  private final NodeThreads threads;
  private final NodeCounters counters;

  ReadRequests(
      Namespace namespace,
      ContentReader reader,
      Leases leases,
      InodeCache inodes,
      NodeThreads threads,
      NodeCounters counters) {
    this.namespace = namespace;
    this.reader = reader;
    this.leases = leases;
    this.inodes = inodes;
    this.threads = threads;
    this.counters = counters;
  }

  private record Job(ReadRequest request, boolean lease, Responder responder) {
    void answer(Inode inode, Pinned bytes) {
      ReadReply reply =
          ReadReply.newBuilder()
              .setContentSeq(inode.getContentSeq())
              .setSize(inode.getSize())
              .setLease(lease)
              .build();
      responder.reply(reply, bytes);
    }

    Urgency urgency() {
      return request.getPrefetch() ? Urgency.READ_AHEAD : Urgency.READER;
    }
  }

  void read(Peer peer, ClientSession session, ReadRequest request, Responder responder) {
    if (request.getOffset() < 0
        || request.getLength() < 0
        || request.getLength() > BlockId.MAX_BYTES) {
      throw new FsException(Errno.EINVAL, "no such range", "length", request.getLength());
    }
    long ino = request.getIno();
    boolean lease = request.getLease() && leases.grantContent(session, ino);
    var job = new Job(request, lease, responder);
    InodeCache.Known known = inodes.get(ino);
    if (request.getPrefetch() && peer.mayBlock()) {
      bringNear(job, known == null ? namespace.inode(ino) : known.inode);
      return;
    }
    if (known != null && (cold(job, known) || inMemory(job, known.inode))) {
      return;
    }
    if (peer.mayBlock()) {
      fromDisk(job, ATTEMPTS);
    } else {
      threads.onDisk(() -> Answers.guard(responder, () -> fromDisk(job, ATTEMPTS)));
    }
  }

  private boolean inMemory(Job job, Inode inode) {
    Optional<Pinned> bytes =
        reader.inMemory(inode, job.request.getOffset(), job.request.getLength());
    if (bytes.isPresent()) {
      counters.count(NodeCounters.Event.READ_FROM_MEMORY_INLINE);
      job.answer(inode, bytes.get());
    }
    return bytes.isPresent();
  }

  /** What the lookup or open before found not to be here is not looked for again. */
  private boolean cold(Job job, InodeCache.Known known) {
    Inode inode = known.inode;
    if (inode.getVersion() == 0 || !known.takeCold()) {
      return false;
    }
    return alone(
        job,
        reader.plan(inode, job.request.getOffset(), job.request.getLength()),
        failure ->
            threads.onDisk(() -> Answers.guard(job.responder, () -> retry(job, failure, inode))));
  }

  /** The inode was from the cache: what it says of the bucket may be a change behind. */
  private void retry(Job job, FsException failure, Inode seen) {
    Inode now = namespace.inode(seen.getIno());
    if (now.equals(seen)) {
      throw failure;
    }
    fromDisk(job, ATTEMPTS);
  }

  /** One block that is brought from the bucket: whoever brings it answers. */
  private boolean alone(Job job, ContentReader.Plan plan, Consumer<FsException> failed) {
    return reader.fetchAlone(
        plan,
        job.urgency(),
        new ContentSource.Receiver() {
          @Override
          public void loaded(Pinned bytes) {
            job.answer(plan.inode, bytes);
          }

          @Override
          public void failed(FsException failure) {
            Answers.guard(job.responder, () -> failed.accept(failure));
          }
        });
  }

  /**
   * Read-ahead of a client in this process. What is on disk comes from there as fast as from a
   * buffer of ours, so nothing is handed over: the answer is empty. Buffers kept by readers that
   * pause would leave none for those that wait.
   */
  private void bringNear(Job job, Inode inode) {
    ContentReader.Plan plan = reader.plan(inode, job.request.getOffset(), job.request.getLength());
    if (reader.expect(plan)) {
      job.answer(plan.inode, Pinned.EMPTY);
    } else if (!reader.fetchAlone(plan, job.urgency(), new Near(job, plan.inode))) {
      threads.waiting(
          () ->
              Answers.guard(
                  job.responder,
                  () -> {
                    reader.fetch(plan, job.urgency()).ifPresent(Pinned::close);
                    job.answer(plan.inode, Pinned.EMPTY);
                  }));
    }
  }

  private record Near(Job job, Inode inode) implements ContentSource.Receiver {
    @Override
    public void loaded(Pinned bytes) {
      bytes.close();
      job.answer(inode, Pinned.EMPTY);
    }

    @Override
    public void failed(FsException failure) {
      job.responder.fail(failure);
    }
  }

  private void fromDisk(Job job, int attempts) {
    long ino = job.request.getIno();
    long stamp = inodes.stamp(ino);
    Inode inode = namespace.inode(ino);
    var _ = inodes.put(inode, stamp);
    ContentReader.Plan plan = reader.plan(inode, job.request.getOffset(), job.request.getLength());
    Optional<Pinned> bytes = reader.atHand(plan);
    if (bytes.isPresent()) {
      job.answer(plan.inode, bytes.get());
    } else if (!alone(job, plan, job.responder::fail)) {
      threads.waiting(() -> Answers.guard(job.responder, () -> fromBucket(job, plan, attempts)));
    }
  }

  private void fromBucket(Job job, ContentReader.Plan plan, int attempts) {
    Optional<Pinned> bytes = reader.fetch(plan, job.urgency());
    if (bytes.isPresent()) {
      job.answer(plan.inode, bytes.get());
    } else if (attempts > 1) {
      threads.onDisk(() -> Answers.guard(job.responder, () -> fromDisk(job, attempts - 1)));
    } else {
      throw new FsException(
          Errno.EIO,
          "content is neither here nor in the bucket",
          "inode",
          plan.inode.getIno(),
          "offset",
          plan.offset);
    }
  }
}
