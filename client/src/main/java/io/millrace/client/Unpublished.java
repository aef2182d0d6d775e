package io.millrace.client;

import io.millrace.proto.CommitContent;
import io.millrace.proto.Inode;

/**
 * What one commit will publish: the extents of sealed chunks and what goes with them. Owned by its
 * file, under that file's lock until the commit starts.
 */
final class Unpublished {
  final ExtentMap extents = new ExtentMap();
  long mtimeNanos;
  boolean killSuid;

  /** When its oldest byte was written; 0: there is none. */
  long firstDirtyNanos;

  /** Where this client took the end to be at the first append; -1: there is none. */
  long appendFrom = -1;

  Unpublished(long mtimeNanos) {
    this.mtimeNanos = mtimeNanos;
  }

  void touch(long nowNanos) {
    mtimeNanos = nowNanos;
    if (firstDirtyNanos == 0) {
      firstDirtyNanos = nowNanos;
    }
  }

  boolean appends() {
    return appendFrom >= 0;
  }

  void cutAt(long size) {
    extents.cut(size, Long.MAX_VALUE);
    if (appendFrom > size) {
      appendFrom = -1;
    }
  }

  CommitContent.Builder command(long ino) {
    var content =
        CommitContent.newBuilder()
            .setIno(ino)
            .addAllExtents(extents.list())
            .setSize(extents.end())
            .setMtimeNs(mtimeNanos)
            .setKillSuid(killSuid);
    if (appends()) {
      content.setAppendFrom(appendFrom);
    }
    return content;
  }

  /** Whether another client's append came first, so that ours lies further back than shown. */
  boolean movedBy(Inode after) {
    return appends() && after.getSize() != extents.end();
  }
}
