package io.millrace.core.api;

import io.millrace.proto.Inode;

/**
 * Where missing clean blocks come from. All callers that ask for the same block wait for one GET.
 * Blocks; safe for many threads, virtual ones welcome.
 */
public interface ContentSource {

  /** Waiting readers come before background work at the limit of requests in flight (H31). */
  enum Urgency {
    READER,
    READ_AHEAD,
    PRELOAD
  }

  /**
   * Brings a block of the inode's object into the block store.
   *
   * @param index block of the stream {@code inode.object.stream}
   * @return {@code length} bytes of the block from {@code offset}, pinned; the caller closes it
   * @throws FsException ESTALE the object changed; EIO with the cause where the bucket stayed away
   *     until the deadline (H22), the object is gone (S6) or archived (S22); EINTR interrupted: the
   *     GET goes on for the others that wait
   */
  Pinned load(Inode inode, int index, int offset, int length, Urgency urgency);
}
