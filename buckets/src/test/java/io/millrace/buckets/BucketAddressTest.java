package io.millrace.buckets;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.millrace.buckets.http.Origin;
import java.net.URI;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import software.amazon.awssdk.auth.credentials.AnonymousCredentialsProvider;

/** Where GETs go beside the SDK, and where they must not. */
class BucketAddressTest {
  private static Optional<BucketAddress> of(String bucket, String endpoint) {
    var settings =
        new S3Settings(
            bucket,
            Optional.of(URI.create(endpoint)),
            "eu-west-1",
            new Credentials.Anonymous(),
            4,
            S3Settings.of("b", Optional.empty(), new Credentials.Anonymous()).connectTimeout(),
            S3Settings.of("b", Optional.empty(), new Credentials.Anonymous()).answerTimeout(),
            "");
    var http = S3Clients.http(settings);
    try (http;
        var s3 = S3Clients.client(settings, AnonymousCredentialsProvider.create(), http)) {
      return BucketAddress.of(settings, s3);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "b, http://store:9000, false, store, 9000, /b/",
    "my.data-1, https://store.example, true, store.example, 443, /my.data-1/",
    "b, http://store/, false, store, 80, /b/",
    "b, https://store:8443/s3/, true, store, 8443, /s3/b/",
    "b, http://[::1]:9000, false, [::1], 9000, /b/"
  })
  void isPathStyleBelowTheEndpoint(
      String bucket, String endpoint, boolean tls, String host, int port, String prefix) {
    var expected = new BucketAddress(new Origin(tls, host, port), prefix);
    assertEquals(Optional.of(expected), of(bucket, endpoint));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"https://s3.eu-west-1.amazonaws.com", "https://s3.cn-north-1.amazonaws.com.cn"})
  void awsItselfIsLeftToTheSdk(String endpoint) {
    assertEquals(Optional.empty(), of("b", endpoint));
  }

  @Test
  void aBucketByArnIsLeftToTheSdk() {
    String access = "arn:aws:s3:eu-west-1:123456789012:accesspoint/mine";
    assertEquals(Optional.empty(), of(access, "http://store:9000"));
  }

  @Test
  void aProxyIsLeftToTheSdk() {
    System.setProperty("http.proxyHost", "127.0.0.1");
    System.setProperty("http.proxyPort", "1");
    System.setProperty("http.nonProxyHosts", "near|*.near");
    try {
      assertEquals(Optional.empty(), of("b", "http://far:9000"));
      assertEquals("near", of("b", "http://near:9000").orElseThrow().origin().host());
    } finally {
      System.clearProperty("http.proxyHost");
      System.clearProperty("http.proxyPort");
      System.clearProperty("http.nonProxyHosts");
    }
  }
}
