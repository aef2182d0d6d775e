package io.millrace.cli;

import io.millrace.proto.AdminReply;
import io.millrace.proto.AdminRequest;

/**
 * A line to a node's administration. Failures are FsException, ECONNREFUSED where nobody answers.
 */
interface Admin extends AutoCloseable {
  AdminReply ask(AdminRequest request);

  @Override
  void close();
}
