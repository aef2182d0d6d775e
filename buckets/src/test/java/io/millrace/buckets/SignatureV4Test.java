package io.millrace.buckets;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.buckets.http.Origin;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import software.amazon.awssdk.auth.credentials.AnonymousCredentialsProvider;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.http.SdkHttpMethod;
import software.amazon.awssdk.http.SdkHttpRequest;
import software.amazon.awssdk.http.auth.aws.signer.AwsV4FamilyHttpSigner;
import software.amazon.awssdk.http.auth.aws.signer.AwsV4HttpSigner;
import software.amazon.awssdk.http.auth.spi.signer.HttpSigner;

/** Signed GETs against AWS's published example and against the SDK's own signer. */
class SignatureV4Test {
  /** Example "GET Object" of "Signature Calculations for the Authorization Header" (S3 API). */
  private static final AwsCredentials EXAMPLE =
      AwsBasicCredentials.create(
          "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");

  private static final Instant EXAMPLE_TIME = Instant.parse("2013-05-24T00:00:00Z");
  private static final BucketAddress EXAMPLE_BUCKET =
      new BucketAddress(new Origin(false, "examplebucket.s3.amazonaws.com", 80), "/");

  private static Map<String, String> headers(byte[] request) {
    var headers = new TreeMap<String, String>();
    new String(request, StandardCharsets.US_ASCII)
        .lines()
        .skip(1)
        .filter(line -> !line.isEmpty())
        .forEach(line -> headers.put(line.split(": ", 2)[0], line.split(": ", 2)[1]));
    return headers;
  }

  private static String path(byte[] request) {
    return new String(request, StandardCharsets.US_ASCII).split(" ", 3)[1];
  }

  private static GetRequest requests(BucketAddress address, AwsCredentials credentials) {
    return new GetRequest(
        address,
        "us-east-1",
        StaticCredentialsProvider.create(credentials),
        InstantSource.fixed(EXAMPLE_TIME));
  }

  @Test
  void agreesWithThePublishedExample() {
    byte[] request = requests(EXAMPLE_BUCKET, EXAMPLE).bytes("test.txt", "", 0, 9).orElseThrow();
    assertEquals(
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
            + " SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, Signature="
            + "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
        headers(request).get("authorization"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "a",
        "a b+c",
        "a//b/./../c",
        "/lead",
        "ü/日本/𝄞",
        "%41*'()!~-._",
        "a?b#c&d=e:@$,;[]\"\\^`{|}<>"
      })
  void agreesWithTheSdksSigner(String key) {
    var address = new BucketAddress(new Origin(false, "store.example", 9000), "/b/");
    var token = AwsSessionCredentials.create("AKIA", "secret", "the/token+of=session");
    byte[] request = requests(address, token).bytes(key, "e-1", 5, 99).orElseThrow();
    Map<String, String> ours = headers(request);
    var unsigned =
        SdkHttpRequest.builder()
            .method(SdkHttpMethod.GET)
            .uri(URI.create("http://store.example:9000"))
            .encodedPath(path(request))
            .putHeader("Range", "bytes=5-99")
            .putHeader("If-Match", "\"e-1\"")
            .build();
    var signed =
        AwsV4HttpSigner.create()
            .sign(
                r ->
                    r.identity(token)
                        .request(unsigned)
                        .putProperty(AwsV4FamilyHttpSigner.SERVICE_SIGNING_NAME, "s3")
                        .putProperty(AwsV4HttpSigner.REGION_NAME, "us-east-1")
                        .putProperty(AwsV4FamilyHttpSigner.DOUBLE_URL_ENCODE, false)
                        .putProperty(AwsV4FamilyHttpSigner.NORMALIZE_PATH, false)
                        .putProperty(
                            HttpSigner.SIGNING_CLOCK, Clock.fixed(EXAMPLE_TIME, ZoneOffset.UTC)))
            .request();
    for (String name : List.of("authorization", "host", "x-amz-date", "x-amz-security-token")) {
      String theirs = signed.firstMatchingHeader(name).orElseThrow();
      assertEquals(theirs, ours.get(name), name);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"e\r\nX-Bad: 1", "e  1", "é", "e\t"})
  void aHeaderThatIsNotPlainIsNotWritten(String etag) {
    assertTrue(requests(EXAMPLE_BUCKET, EXAMPLE).bytes("k", etag, 0, 9).isEmpty());
    var token = AwsSessionCredentials.create("AKIA", "secret", etag);
    assertTrue(requests(EXAMPLE_BUCKET, token).bytes("k", "", 0, 9).isEmpty());
  }

  @Test
  void S26_credentialsThatWereRenewedCountAtOnce() {
    var given =
        new ArrayDeque<AwsCredentials>(
            List.of(
                AwsSessionCredentials.create("AKIA1", "secret1", "token1"),
                AwsBasicCredentials.create("AKIA2", "secret2"),
                AwsBasicCredentials.create("AKIA2", "secret3")));
    AwsCredentialsProvider provider = given::remove;
    var requests =
        new GetRequest(EXAMPLE_BUCKET, "us-east-1", provider, InstantSource.fixed(EXAMPLE_TIME));
    var first = headers(requests.bytes("k", "", 0, 9).orElseThrow());
    var second = headers(requests.bytes("k", "", 0, 9).orElseThrow());
    var third = headers(requests.bytes("k", "", 0, 9).orElseThrow());
    assertEquals("token1", first.get("x-amz-security-token"));
    assertFalse(second.containsKey("x-amz-security-token"));
    assertTrue(second.get("authorization").contains("AKIA2"));
    assertNotEquals(second.get("authorization"), third.get("authorization"));
  }

  @Test
  void theDaysKeyAndTheSecondsStampFollowTheClock() {
    var times =
        new ArrayDeque<>(List.of(EXAMPLE_TIME, EXAMPLE_TIME.plusSeconds(86_400), EXAMPLE_TIME));
    var requests =
        new GetRequest(
            EXAMPLE_BUCKET, "us-east-1", StaticCredentialsProvider.create(EXAMPLE), times::remove);
    var first = headers(requests.bytes("test.txt", "", 0, 9).orElseThrow());
    var nextDay = headers(requests.bytes("test.txt", "", 0, 9).orElseThrow());
    assertEquals("20130525T000000Z", nextDay.get("x-amz-date"));
    assertTrue(nextDay.get("authorization").contains("/20130525/us-east-1/"));
    assertEquals(first, headers(requests.bytes("test.txt", "", 0, 9).orElseThrow()));
  }

  @Test
  void withoutCredentialsNothingIsSigned() {
    var requests =
        new GetRequest(
            EXAMPLE_BUCKET,
            "us-east-1",
            AnonymousCredentialsProvider.create(),
            InstantSource.fixed(EXAMPLE_TIME));
    var headers = headers(requests.bytes("k", "", 0, 9).orElseThrow());
    assertEquals(java.util.Set.of("host", "range", "user-agent"), headers.keySet());
  }
}
