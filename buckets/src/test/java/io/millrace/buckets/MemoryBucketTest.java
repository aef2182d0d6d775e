package io.millrace.buckets;

import io.millrace.core.api.Bucket;
import java.time.InstantSource;

class MemoryBucketTest extends BucketContract {
  @Override
  Bucket open() {
    return new MemoryBucket("test", InstantSource.system());
  }
}
