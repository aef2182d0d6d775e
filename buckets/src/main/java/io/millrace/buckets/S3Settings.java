package io.millrace.buckets;

import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import java.net.URI;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;

/**
 * How to reach one S3 bucket.
 *
 * @param endpoint empty: AWS itself
 * @param region empty: AWS's default chain for AWS, us-east-1 for other endpoints
 * @param requestsInFlight connections at most, of the SDK and of GETs beside it each; a request
 *     beyond waits for one
 * @param answerTimeout longest silence on a connection; a transfer that goes on has no limit here,
 *     an interrupt ends it
 * @param probePrefix where {@code abilities()} puts its temporary object
 */
public record S3Settings(
    String bucket,
    Optional<URI> endpoint,
    String region,
    Credentials credentials,
    int requestsInFlight,
    Duration connectTimeout,
    Duration answerTimeout,
    String probePrefix) {

  public S3Settings {
    if (bucket.isEmpty() || requestsInFlight <= 0) {
      throw new FsException(
          Errno.EINVAL,
          "an S3 bucket needs a name and at least one request in flight",
          "bucket",
          bucket,
          "requestsInFlight",
          requestsInFlight);
    }
    endpoint.ifPresent(S3Settings::requireHttp);
  }

  /** 64 requests in flight, 5 s to connect, 30 s of silence. */
  public static S3Settings of(String bucket, Optional<URI> endpoint, Credentials credentials) {
    return new S3Settings(
        bucket, endpoint, "", credentials, 64, Duration.ofSeconds(5), Duration.ofSeconds(30), "");
  }

  private static void requireHttp(URI endpoint) {
    String scheme = endpoint.getScheme();
    boolean known = "http".equals(scheme) || "https".equals(scheme);
    if (!known || endpoint.getHost() == null || endpoint.getUserInfo() != null) {
      throw new FsException(
          Errno.EINVAL,
          "an endpoint is http://host:port or https://host:port; keys go to --credentials",
          "host",
          String.valueOf(endpoint.getHost()));
    }
  }

  /** AWS takes the SDK's own defaults; other stores need checksums and addressing kept plain. */
  boolean isAws() {
    return endpoint
        .map(uri -> uri.getHost().toLowerCase(Locale.ROOT))
        .map(host -> host.endsWith(".amazonaws.com") || host.endsWith(".amazonaws.com.cn"))
        .orElse(true);
  }

  String name() {
    return "s3://" + bucket + " at " + endpoint.map(URI::toString).orElse("AWS");
  }
}
