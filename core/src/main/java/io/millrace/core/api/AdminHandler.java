package io.millrace.core.api;

import io.millrace.proto.AdminReply;
import io.millrace.proto.AdminRequest;
import io.millrace.proto.Inode;

/** What the command line and extended attributes ask of the link engine. */
public interface AdminHandler {

  /**
   * Serves one request of the command line. Blocks (progress and waiting included), on a virtual
   * thread of its own.
   *
   * @throws FsException with a message for people: path, cause, way out
   */
  AdminReply handle(AdminRequest request);

  /** The word {@code millrace state} shows for a file; the value of user.millrace.state. */
  String state(Inode inode);

  /**
   * Why the file's content can't be had, for user.millrace.reason; empty where nothing is wrong.
   */
  String reason(Inode inode);
}
