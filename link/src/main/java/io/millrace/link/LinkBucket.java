package io.millrace.link;

import io.millrace.core.api.Bucket;

/** One link's open bucket, and how it has behaved of late. */
record LinkBucket(Bucket bucket, BackOff backOff) {}
