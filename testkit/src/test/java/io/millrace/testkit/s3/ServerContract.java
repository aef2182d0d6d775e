package io.millrace.testkit.s3;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.core.checksums.RequestChecksumCalculation;
import software.amazon.awssdk.core.checksums.ResponseChecksumValidation;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.http.apache5.Apache5HttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3Client;

/** What every writable S3 server of the testkit must do, seen through two unrelated clients. */
abstract class ServerContract {
  abstract S3Endpoint endpoint();

  @Test
  void keepsWhatThePlainClientPutsUnderSpecialKeys() throws IOException {
    try (var s3 = new PlainS3(endpoint())) {
      s3.createBucket("special");
      for (String key : List.of("a/b c", "a/ü+&%=~", "a/x'\"y")) {
        String etag = s3.put("special", key, key.getBytes(UTF_8), Map.of("x-amz-meta-mode", "644"));
        var answer = s3.get("special", key);
        assertEquals(key, answer.text());
        assertEquals("644", answer.header("x-amz-meta-mode"));
        assertEquals(etag, answer.header("etag"));
      }
      assertEquals(3, s3.keys("special", "a/").size());
      assertTrue(s3.keys("special", "").contains("a/ü+&%=~"));
      s3.delete("special", "a/b c");
      assertFalse(s3.exists("special", "a/b c"));
    }
  }

  @Test
  void listsMoreThanOnePage() throws IOException {
    try (var s3 = new PlainS3(endpoint())) {
      s3.createBucket("pages");
      var keys = IntStream.range(0, 1005).mapToObj("k%05d"::formatted).toList();
      for (String key : keys) {
        s3.put("pages", key, new byte[0], Map.of());
      }
      assertEquals(keys, s3.keys("pages", "k"));
    }
  }

  @Test
  void servesTheAwsSdkToo() throws IOException {
    byte[] body = new byte[3_000_000];
    body[17] = 42;
    try (var plain = new PlainS3(endpoint());
        var sdk = sdk()) {
      sdk.createBucket(b -> b.bucket("sdk"));
      sdk.putObject(b -> b.bucket("sdk").key("x/y"), RequestBody.fromBytes(body));
      assertArrayEquals(body, plain.get("sdk", "x/y").body());
      plain.put("sdk", "p", body, Map.of());
      assertArrayEquals(body, sdk.getObjectAsBytes(b -> b.bucket("sdk").key("p")).asByteArray());
    }
  }

  @Test
  void refusesWrongKeys() {
    var wrong = new S3Endpoint(endpoint().uri(), "test", "wrong");
    try (var s3 = new PlainS3(wrong)) {
      var e = assertThrows(IOException.class, () -> s3.createBucket("never"));
      assertTrue(e.getMessage().contains("403"), e.getMessage());
    }
  }

  private S3Client sdk() {
    var keys = AwsBasicCredentials.create(endpoint().accessKey(), endpoint().secretKey());
    return S3Client.builder()
        .endpointOverride(URI.create(endpoint().uri().toString()))
        .region(Region.US_EAST_1)
        .forcePathStyle(true)
        .credentialsProvider(StaticCredentialsProvider.create(keys))
        .requestChecksumCalculation(RequestChecksumCalculation.WHEN_REQUIRED)
        .responseChecksumValidation(ResponseChecksumValidation.WHEN_REQUIRED)
        .httpClientBuilder(Apache5HttpClient.builder())
        .build();
  }
}
