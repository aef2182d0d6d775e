package io.millrace.buckets;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.core.api.Bucket;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import io.millrace.testkit.s3.PlainS3;
import io.millrace.testkit.s3.S3Endpoint;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** The contract against a real S3 server, and what only a server can refuse. */
abstract class S3ServerContract extends BucketContract {
  static final String BUCKET = "contract";

  private S3Endpoint endpoint;
  private Path directory;

  static void createBucket(S3Endpoint endpoint) throws IOException {
    try (var plain = new PlainS3(endpoint)) {
      plain.createBucket(BUCKET);
    }
  }

  Bucket open(S3Endpoint endpoint, Path directory) throws IOException {
    this.endpoint = endpoint;
    this.directory = directory;
    return bucket(BUCKET, endpoint);
  }

  /** With GETs beside the SDK. */
  Bucket opened(S3Settings settings) {
    return new S3Bucket(settings);
  }

  private Bucket bucket(String name, S3Endpoint endpoint) throws IOException {
    Path file = endpoint.writeCredentials(directory.resolve("keys"));
    return opened(S3Settings.of(name, Optional.of(endpoint.uri()), new Credentials.File(file)));
  }

  @Test
  void unknownBucketIsTold() throws IOException {
    try (var unknown = bucket("no-such-bucket", endpoint)) {
      FsException e = assertErrno(Errno.ENOENT, unknown::check);
      assertTrue(e.getMessage().contains("no such bucket"), e.getMessage());
      assertErrno(Errno.ENOENT, () -> unknown.list("", "", "", "", 10));
      e = assertErrno(Errno.ENOENT, () -> read(unknown, "a"));
      assertTrue(e.getMessage().contains("no such bucket"), e.getMessage());
    }
  }

  @Test
  void S26_wrongSecretIsToldAndNotShown() throws IOException {
    var wrong = new S3Endpoint(endpoint.uri(), endpoint.accessKey(), "wrong-and-very-secret");
    try (var refused = bucket(BUCKET, wrong)) {
      FsException e = assertErrno(Errno.EACCES, refused::check);
      assertFalse(e.getMessage().contains("very-secret"), e.getMessage());
      assertTrue(e.getMessage().contains("--credentials"), e.getMessage());
      assertErrno(Errno.EACCES, () -> refused.head("a"));
      e = assertErrno(Errno.EACCES, () -> read(refused, "a"));
      assertTrue(e.getMessage().contains("the secret key is wrong"), e.getMessage());
    }
  }

  @Test
  void S26_unknownAccessKeyIsToldAndNotShown() throws IOException {
    var wrong = new S3Endpoint(endpoint.uri(), "AKIANOBODY", endpoint.secretKey());
    try (var refused = bucket(BUCKET, wrong)) {
      FsException e = assertErrno(Errno.EACCES, refused::check);
      assertFalse(e.toString().contains("AKIANOBODY"), e.toString());
    }
  }

  private static int read(Bucket bucket, String key) {
    return bucket.get(key, "", 0, Arena.ofAuto().allocate(10));
  }
}
