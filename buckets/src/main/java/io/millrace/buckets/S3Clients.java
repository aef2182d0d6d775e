package io.millrace.buckets;

import io.millrace.buckets.http.ConnectionPool;
import io.millrace.buckets.http.Limits;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Optional;
import javax.net.ssl.SSLContext;
import software.amazon.awssdk.auth.credentials.AnonymousCredentialsProvider;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider;
import software.amazon.awssdk.auth.credentials.ProfileCredentialsProvider;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.awscore.retry.AwsRetryStrategy;
import software.amazon.awssdk.core.checksums.RequestChecksumCalculation;
import software.amazon.awssdk.core.checksums.ResponseChecksumValidation;
import software.amazon.awssdk.core.exception.SdkClientException;
import software.amazon.awssdk.http.SdkHttpClient;
import software.amazon.awssdk.http.apache5.Apache5HttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.S3ClientBuilder;
import software.amazon.awssdk.services.s3.S3Configuration;

/**
 * The one place where SDK settings are chosen. Retries are off: {@link RetryingBucket} has the
 * policy. No call timeouts: each would cost a timer task per request; silence is bounded by the
 * socket timeout and the rest by interrupts. No metrics publisher: {@link MeteredBucket} counts.
 */
final class S3Clients {
  private static final String DEFAULT_REGION = "us-east-1";
  private static final Duration IDLE_LIMIT = Duration.ofSeconds(60);

  private S3Clients() {}

  static SdkHttpClient http(S3Settings settings) {
    return Apache5HttpClient.builder()
        .maxConnections(settings.requestsInFlight())
        .connectionTimeout(settings.connectTimeout())
        .socketTimeout(settings.answerTimeout())
        .connectionAcquisitionTimeout(settings.answerTimeout())
        .connectionMaxIdleTime(IDLE_LIMIT)
        .tcpKeepAlive(true)
        .expectContinueEnabled(false)
        .build();
  }

  static S3Client client(
      S3Settings settings, AwsCredentialsProvider credentials, SdkHttpClient http) {
    var service = S3Configuration.builder().expectContinueEnabled(false);
    var client =
        S3Client.builder()
            .httpClient(http)
            .credentialsProvider(credentials)
            .overrideConfiguration(o -> o.retryStrategy(AwsRetryStrategy.doNotRetry()));
    settings.endpoint().ifPresent(client::endpointOverride);
    if (!settings.isAws()) {
      // Ceph 16 answers 400 to every PUT with the SDK's default trailing checksums.
      client
          .forcePathStyle(true)
          .disableS3ExpressSessionAuth(true)
          .requestChecksumCalculation(RequestChecksumCalculation.WHEN_REQUIRED)
          .responseChecksumValidation(ResponseChecksumValidation.WHEN_REQUIRED);
      service.chunkedEncodingEnabled(false);
    }
    region(settings, client);
    try {
      return client.serviceConfiguration(service.build()).build();
    } catch (SdkClientException e) {
      throw new FsException(
          e, Errno.EINVAL, "no region is configured; give --region", "bucket", settings.name());
    }
  }

  /** Empty: every GET goes through the SDK. */
  static Optional<LeanGet> lean(
      S3Settings settings, AwsCredentialsProvider credentials, S3Client s3) {
    var limits =
        new Limits(
            settings.requestsInFlight(),
            settings.connectTimeout(),
            settings.answerTimeout(),
            IDLE_LIMIT);
    String region = s3.serviceClientConfiguration().region().id();
    return BucketAddress.of(settings, s3)
        .map(
            address ->
                new LeanGet(
                    new ConnectionPool(address.origin(), limits, trust(), System::nanoTime),
                    new GetRequest(address, region, credentials, InstantSource.system()),
                    new S3Errors(settings.name())));
  }

  private static SSLContext trust() {
    try {
      return SSLContext.getDefault();
    } catch (NoSuchAlgorithmException e) {
      throw new FsException(
          e, Errno.EINVAL, "the JVM's TLS settings don't work; check javax.net.ssl properties");
    }
  }

  private static void region(S3Settings settings, S3ClientBuilder client) {
    if (!settings.region().isEmpty()) {
      client.region(Region.of(settings.region()));
    } else if (!settings.isAws()) {
      client.region(Region.of(DEFAULT_REGION));
    }
  }

  static AwsCredentialsProvider credentials(Credentials credentials) {
    return switch (credentials) {
      case Credentials.Anonymous() -> AnonymousCredentialsProvider.create();
      case Credentials.File(var path) ->
          StaticCredentialsProvider.create(CredentialsFile.read(path));
      case Credentials.Profile(var name) ->
          explained(ProfileCredentialsProvider.create(name), credentials);
      case Credentials.DefaultChain() ->
          explained(DefaultCredentialsProvider.builder().build(), credentials);
    };
  }

  /** Keys that can't be found are a refusal with a way out, not an unexplained client error. */
  private static AwsCredentialsProvider explained(AwsCredentialsProvider inner, Credentials from) {
    return () -> {
      try {
        return inner.resolveCredentials();
      } catch (SdkClientException e) {
        throw new FsException(
            Errno.EACCES,
            "no credentials found; give --credentials FILE or --profile NAME, or set"
                + " AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
            "source",
            from);
      }
    };
  }
}
