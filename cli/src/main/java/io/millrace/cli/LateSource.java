package io.millrace.cli;

import io.millrace.core.api.ContentSource;
import io.millrace.core.api.Pinned;
import io.millrace.proto.Inode;

/** The link engine's loader, which is made after the node that asks it; set before any request. */
final class LateSource implements ContentSource {
  private volatile ContentSource source;

  void set(ContentSource loader) {
    source = loader;
  }

  @Override
  public Pinned load(Inode inode, int index, int offset, int length, Urgency urgency) {
    return source.load(inode, index, offset, length, urgency);
  }

  @Override
  public void load(
      Inode inode, int index, int offset, int length, Urgency urgency, Receiver receiver) {
    source.load(inode, index, offset, length, urgency, receiver);
  }
}
