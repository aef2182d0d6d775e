package io.millrace.core.api;

import io.millrace.proto.LinkRecord;

/** Opens the bucket that a link names, with its endpoint, region and credentials. */
@FunctionalInterface
public interface BucketOpener {

  /**
   * Does not ask the store yet: {@link Bucket#check} does. The caller closes it.
   *
   * @throws FsException EACCES the credentials file or profile can't be read; EINVAL a bad endpoint
   *     or bucket name
   */
  Bucket open(LinkRecord link);
}
