package io.millrace.bench;

import java.net.URI;
import software.amazon.awssdk.auth.credentials.AnonymousCredentialsProvider;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.core.checksums.RequestChecksumCalculation;
import software.amazon.awssdk.core.checksums.ResponseChecksumValidation;
import software.amazon.awssdk.http.apache5.Apache5HttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3Client;

/** A bucket and prefix from {@code s3://bucket/prefix}; a key is the prefix and a file's path. */
record S3Target(String bucket, String prefix) {
  static boolean isOne(String text) {
    return text.startsWith("s3://");
  }

  static S3Target parse(String text) {
    String[] parts = text.substring("s3://".length()).split("/", 2);
    String prefix = parts.length == 1 || parts[1].isEmpty() ? "" : parts[1].replaceAll("/*$", "/");
    return new S3Target(parts[0], prefix);
  }

  String key(String path) {
    return prefix + path;
  }

  /**
   * The plain client that Millrace is compared with: {@code --endpoint}, {@code --keys ID:SECRET}.
   */
  static S3Client client(Arguments options, int connections) {
    String keys = options.text("keys", "");
    String[] pair = keys.split(":", 2);
    return S3Client.builder()
        .endpointOverride(URI.create(options.text("endpoint", "http://127.0.0.1:9000")))
        .region(Region.US_EAST_1)
        .forcePathStyle(true)
        .credentialsProvider(
            keys.isEmpty()
                ? AnonymousCredentialsProvider.create()
                : StaticCredentialsProvider.create(AwsBasicCredentials.create(pair[0], pair[1])))
        .requestChecksumCalculation(RequestChecksumCalculation.WHEN_REQUIRED)
        .responseChecksumValidation(ResponseChecksumValidation.WHEN_REQUIRED)
        .httpClientBuilder(Apache5HttpClient.builder().maxConnections(connections))
        .build();
  }
}
