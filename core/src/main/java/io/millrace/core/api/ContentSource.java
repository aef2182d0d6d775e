package io.millrace.core.api;

import io.millrace.proto.Inode;

/**
 * Where missing clean blocks come from. All callers that ask for the same block wait for one GET.
 * Safe for many threads, virtual ones welcome.
 */
public interface ContentSource {

  /** Waiting readers come before background work at the limit of requests in flight (H31). */
  enum Urgency {
    READER,
    READ_AHEAD,
    PRELOAD
  }

  /** Who waits without a thread. Exactly one of the two, once, on any thread. */
  interface Receiver {
    /**
     * Should not take long: the others that wait for the block come after it.
     *
     * @param bytes ours to close
     */
    void loaded(Pinned bytes);

    /** As {@link ContentSource#load(Inode, int, int, int, Urgency)} throws, but EINTR. */
    void failed(FsException failure);
  }

  /**
   * Brings a block of the inode's object into the block store. Blocks.
   *
   * @param index block of the stream {@code inode.object.stream}
   * @return {@code length} bytes of the block from {@code offset}, pinned; the caller closes it
   * @throws FsException ESTALE the object changed; EIO with the cause where the bucket stayed away
   *     until the deadline (H22), the object is gone (S6) or archived (S22); EINTR interrupted: the
   *     GET goes on for the others that wait
   */
  Pinned load(Inode inode, int index, int offset, int length, Urgency urgency);

  /**
   * As {@link #load(Inode, int, int, int, Urgency)}, but returns at once: who brought the block
   * hands it on, so that no thread waits and none is woken.
   */
  default void load(
      Inode inode, int index, int offset, int length, Urgency urgency, Receiver receiver) {
    var _ =
        Thread.startVirtualThread(
            () -> {
              Pinned bytes;
              try {
                bytes = load(inode, index, offset, length, urgency);
              } catch (FsException e) {
                receiver.failed(e);
                return;
              } catch (RuntimeException e) {
                receiver.failed(new FsException(e, Errno.EIO, "load failed", "cause", e));
                return;
              }
              receiver.loaded(bytes);
            });
  }
}
