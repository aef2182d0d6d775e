package io.millrace.link;

import io.millrace.core.api.BlockStore;
import io.millrace.core.api.CoherenceNotifier;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.core.api.Namespace;
import io.millrace.proto.LinkRecord;

/** What all work on links shares. Owned and closed by {@link LinkEngine}. */
record LinkParts(
    Namespace namespace,
    NamespaceWriter writer,
    BlockStore store,
    LinkBuckets buckets,
    ObjectLoader loader,
    CoherenceNotifier notifier,
    LinkConfig config) {

  LinkRecord link(int id) {
    return namespace
        .link(id)
        .orElseThrow(() -> new FsException(Errno.EINVAL, "no such link", "link", id));
  }

  String shown(long ino) {
    return TreePath.shown(namespace, ino);
  }
}
