package io.millrace.testkit.s3;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Where an S3 server answers and with which keys; path style, region {@code us-east-1}. An endpoint
 * without keys ({@link #isAnonymous}) takes unsigned requests only.
 */
public record S3Endpoint(URI uri, String accessKey, String secretKey) {
  public static S3Endpoint local(int port, String accessKey, String secretKey) {
    return new S3Endpoint(URI.create("http://127.0.0.1:" + port), accessKey, secretKey);
  }

  public static S3Endpoint anonymous(int port) {
    return local(port, "", "");
  }

  public boolean isAnonymous() {
    return accessKey.isEmpty();
  }

  /** Writes the keys in the format of {@code ~/.aws/credentials}, profile default. */
  public Path writeCredentials(Path file) throws IOException {
    return Files.writeString(
        file,
        "[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n"
            .formatted(accessKey, secretKey));
  }
}
