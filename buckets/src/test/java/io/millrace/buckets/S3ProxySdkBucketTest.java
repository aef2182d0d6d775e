package io.millrace.buckets;

import io.millrace.core.api.Bucket;
import org.junit.jupiter.api.Tag;

/** The same where no GET goes beside the SDK. */
@Tag("s3")
class S3ProxySdkBucketTest extends S3ProxyBucketTest {
  @Override
  Bucket opened(S3Settings settings) {
    return new S3Bucket(settings, false);
  }
}
