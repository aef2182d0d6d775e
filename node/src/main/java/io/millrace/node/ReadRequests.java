package io.millrace.node;

import io.millrace.core.api.BlockId;
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

/**
 * READ: from memory on the calling thread, from disk on a disk thread, from the bucket on a virtual
 * one (H28). A block that vanishes while it is read (its content was replaced, its version merged)
 * makes the range be planned anew.
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
    Inode cached = inodes.get(ino);
    if (request.getPrefetch() && peer.mayBlock()) {
      bringNear(job, cached == null ? namespace.inode(ino) : cached);
      return;
    }
    if (cached != null) {
      Optional<Pinned> bytes = reader.inMemory(cached, request.getOffset(), request.getLength());
      if (bytes.isPresent()) {
        counters.count(NodeCounters.Event.READ_FROM_MEMORY_INLINE);
        job.answer(cached, bytes.get());
        return;
      }
    }
    if (peer.mayBlock()) {
      fromDisk(job, ATTEMPTS);
    } else {
      threads.onDisk(() -> Answers.guard(responder, () -> fromDisk(job, ATTEMPTS)));
    }
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
    } else {
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

  private void fromDisk(Job job, int attempts) {
    long ino = job.request.getIno();
    long stamp = inodes.stamp(ino);
    Inode inode = namespace.inode(ino);
    inodes.put(inode, stamp);
    ContentReader.Plan plan = reader.plan(inode, job.request.getOffset(), job.request.getLength());
    Optional<Pinned> bytes = reader.atHand(plan);
    if (bytes.isPresent()) {
      job.answer(plan.inode, bytes.get());
    } else {
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
