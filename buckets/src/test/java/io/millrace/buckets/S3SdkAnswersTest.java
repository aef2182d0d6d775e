package io.millrace.buckets;

/** The same where no GET goes beside the SDK. */
class S3SdkAnswersTest extends S3AnswersTest {
  @Override
  S3Bucket opened(S3Settings settings) {
    return new S3Bucket(settings, false);
  }
}
