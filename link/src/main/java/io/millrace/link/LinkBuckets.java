package io.millrace.link;

import io.millrace.core.api.BucketOpener;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.core.api.Namespace;
import io.millrace.proto.LinkRecord;
import java.util.concurrent.ConcurrentHashMap;
import java.util.random.RandomGenerator;

/** The buckets of the links, opened when first used and shared by all work on the link. */
final class LinkBuckets implements AutoCloseable {
  private final Namespace namespace;
  private final BucketOpener opener;
  private final LinkConfig config;
  private final RandomGenerator random;
  private final ConcurrentHashMap<Integer, LinkBucket> open = new ConcurrentHashMap<>();

  LinkBuckets(Namespace namespace, BucketOpener opener, LinkConfig config, RandomGenerator random) {
    this.namespace = namespace;
    this.opener = opener;
    this.config = config;
    this.random = random;
  }

  /**
   * @throws FsException EINVAL no such link; those of {@link BucketOpener#open}
   */
  LinkBucket of(int link) {
    LinkBucket known = open.get(link);
    return known != null ? known : open.computeIfAbsent(link, this::opened);
  }

  private LinkBucket opened(int link) {
    return unshared(
        namespace
            .link(link)
            .orElseThrow(() -> new FsException(Errno.EINVAL, "no such link", "link", link)));
  }

  /** A bucket that the caller closes. */
  LinkBucket unshared(LinkRecord link) {
    return new LinkBucket(
        opener.open(link), new BackOff(config.retryFirst(), config.retryMost(), random));
  }

  /** Empty where the link's bucket is fine or was not used yet. */
  String lastError(int link) {
    LinkBucket known = open.get(link);
    return known == null ? "" : known.backOff().lastError();
  }

  /** The link is gone or has other settings: the next use opens the bucket anew. */
  void forget(int link) {
    LinkBucket known = open.remove(link);
    if (known != null) {
      known.bucket().close();
    }
  }

  @Override
  public void close() {
    open.keySet().forEach(this::forget);
  }
}
