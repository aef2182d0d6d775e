package io.millrace.cli;

import io.millrace.buckets.BucketUrl;
import io.millrace.buckets.Buckets;
import io.millrace.buckets.Credentials;
import io.millrace.core.api.Bucket;
import io.millrace.core.api.BucketOpener;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.proto.LinkRecord;
import java.net.URI;
import java.util.Optional;

/**
 * Opens the bucket a link names. Requests are tried once each: the link engine retries, as it knows
 * what waits and until when.
 */
final class LinkedBuckets implements BucketOpener {
  private final Buckets buckets = new Buckets();

  @Override
  public Bucket open(LinkRecord link) {
    var url = BucketUrl.parse("s3://" + link.getBucket() + "/" + link.getPrefix());
    var access =
        Buckets.Access.of(
            url, endpoint(link), link.getRegion(), Credentials.parse(link.getCredentials()));
    return buckets.open(access).once();
  }

  private static Optional<URI> endpoint(LinkRecord link) {
    if (link.getEndpoint().isEmpty()) {
      return Optional.empty();
    }
    try {
      return Optional.of(URI.create(link.getEndpoint()));
    } catch (IllegalArgumentException e) {
      throw new FsException(
          e,
          Errno.EINVAL,
          "the endpoint is no URL; write http://HOST:PORT",
          "endpoint",
          link.getEndpoint());
    }
  }
}
