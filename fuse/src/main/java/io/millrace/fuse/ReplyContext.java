package io.millrace.fuse;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;

/**
 * What every reply of a session needs besides its request: the counts that entries add to, the
 * replies that are open, and spare memory. One per session; its parts are safe for any thread.
 */
final class ReplyContext {
  static final Logger LOG = System.getLogger("io.millrace.fuse");

  final FuseFileSystem fileSystem;
  final LookupCounts lookups = new LookupCounts();
  final PendingReplies pending = new PendingReplies();
  final ReplyWriters writers = new ReplyWriters(64);
  final DirectoryBuffers directories;
  final PayloadBuffers payloads;
  final BackPressure blocking;

  /** SETXATTR has the longer form. */
  final boolean setxattrExtended;

  /** No request is begun any more: another process will (H17). */
  volatile boolean handingOver;

  ReplyContext(
      FuseFileSystem fileSystem,
      boolean setxattrExtended,
      DirectoryBuffers directories,
      PayloadBuffers payloads,
      BackPressure blocking) {
    this.fileSystem = fileSystem;
    this.setxattrExtended = setxattrExtended;
    this.directories = directories;
    this.payloads = payloads;
    this.blocking = blocking;
  }

  /** Takes lookups off a node, by FORGET or because an entry never reached the kernel. */
  void forget(long nodeid, long nlookup) {
    long value = lookups.value(nodeid, 0);
    if (lookups.decrement(nodeid, nlookup) == 0) {
      try {
        fileSystem.forgotten(nodeid, value);
      } catch (RuntimeException e) {
        LOG.log(Level.ERROR, "forgotten failed: nodeid " + nodeid, e);
      }
    }
  }

  /**
   * The errno for a failure inside the file system, which is logged where the file system has no
   * answer.
   */
  int errnoOf(Throwable failure, int opcode) {
    int errno = FuseErrno.EIO;
    try {
      errno = fileSystem.errnoOf(failure);
    } catch (RuntimeException e) {
      LOG.log(Level.ERROR, "errnoOf failed", e);
    }
    if (errno == FuseErrno.EIO) {
      LOG.log(Level.WARNING, "request failed: opcode " + opcode, failure);
    }
    return errno > 0 && errno < FuseReply.ERRNO_LIMIT ? errno : FuseErrno.EIO;
  }

  void close() {
    payloads.close();
    directories.close();
    writers.close();
    lookups.close();
  }
}
