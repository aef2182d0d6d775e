package io.millrace.buckets;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.core.api.Bucket.Condition;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What an S3Bucket makes of answers that real servers give rarely, and what its requests cost. */
@Timeout(30)
class S3AnswersTest {
  static final String PIECE =
      ScriptedServer.answer(206, "hello", "ETag: \"e1\"", "Content-Range: bytes 0-4/5");

  @TempDir private Path directory;
  final MemorySegment target = Arena.ofAuto().allocate(100);

  /** By the way that this test is about. */
  S3Bucket opened(S3Settings settings) {
    return new S3Bucket(settings);
  }

  final S3Bucket bucket(URI endpoint) throws IOException {
    Path keys = Files.writeString(directory.resolve("keys"), "AKIAKEY\ntop-secret-key\n");
    return opened(
        new S3Settings(
            "b",
            Optional.of(endpoint),
            "",
            new Credentials.File(keys),
            4,
            Duration.ofSeconds(2),
            Duration.ofMillis(300),
            ""));
  }

  final FsException getFails(String answer, String etag, long offset) throws IOException {
    try (var server = new ScriptedServer(answer);
        var bucket = bucket(server.uri())) {
      return assertThrows(FsException.class, () -> bucket.get("k", etag, offset, target));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "403, AccessDenied, EACCES",
    "403, InvalidAccessKeyId, EACCES",
    "403, SignatureDoesNotMatch, EACCES",
    "404, NoSuchKey, ENOENT",
    "404, NoSuchBucket, ENOENT",
    "412, PreconditionFailed, ESTALE",
    "400, InvalidArgument, EIO",
    "400, RequestTimeout, EAGAIN",
    "429, TooManyRequests, EAGAIN",
    "500, InternalError, EAGAIN",
    "503, SlowDown, EAGAIN",
    "501, NotImplemented, EOPNOTSUPP",
    "405, MethodNotAllowed, EOPNOTSUPP",
    "301, PermanentRedirect, EIO"
  })
  void S26_statusesAreTranslatedWithoutTheStoresText(int status, String code, Errno errno)
      throws IOException {
    FsException e = getFails(ScriptedServer.error(status, code), "", 0);
    assertEquals(errno, e.errno(), e.getMessage());
    var trace = new StringWriter();
    e.printStackTrace(new PrintWriter(trace));
    assertFalse(trace.toString().contains("AKIAKEY"), trace.toString());
    assertFalse(trace.toString().contains("secret and"), trace.toString());
    assertTrue(e.getMessage().contains("s3://b at http://127.0.0.1"), e.getMessage());
  }

  @Test
  void S22_archivedObjectHasItsReason() throws IOException {
    FsException e = getFails(ScriptedServer.error(403, "InvalidObjectState"), "", 0);
    assertEquals(Errno.EIO, e.errno());
    assertTrue(e.getMessage().contains("archived"), e.getMessage());
  }

  @Test
  void onlyAFailedConditionIsEexist() throws IOException {
    assertEquals(Errno.EEXIST, putFails(412, "PreconditionFailed"));
    assertEquals(Errno.EEXIST, putFails(409, "ConditionalRequestConflict"));
    assertEquals(Errno.EAGAIN, putFails(409, "OperationAborted"));
    assertEquals(Errno.EIO, putFails(400, "InvalidRequest"));
  }

  private Errno putFails(int status, String code) throws IOException {
    try (var server = new ScriptedServer(ScriptedServer.error(status, code));
        var bucket = bucket(server.uri())) {
      return assertThrows(
              FsException.class, () -> bucket.put("k", target, Map.of(), "", Condition.ABSENT))
          .errno();
    }
  }

  @Test
  void H02_anAnswerOfAnotherVersionIsRefusedEvenWhereIfMatchIsIgnored() throws IOException {
    assertEquals(Errno.ESTALE, getFails(PIECE, "e0", 0).errno());
  }

  @Test
  void aShortBodyIsWorthARetry() throws IOException {
    String cut = PIECE.replace("hello", "hel");
    assertEquals(
        Errno.EAGAIN, getFails(cut.replace("ETag", "Connection: close\r\nETag"), "e1", 0).errno());
  }

  @Test
  void anotherRangeThanAskedForIsRefused() throws IOException {
    assertEquals(Errno.EIO, getFails(PIECE, "e1", 3).errno());
    assertEquals(
        Errno.EIO, getFails(ScriptedServer.answer(200, "hello", "ETag: \"e1\""), "", 3).errno());
    assertEquals(Errno.EAGAIN, getFails(PIECE.replace("4/5", "4/9"), "e1", 0).errno());
  }

  @Test
  void silenceIsATimeout() throws IOException {
    assertEquals(Errno.ETIMEDOUT, getFails(ScriptedServer.SILENCE, "", 0).errno());
  }

  @Test
  void nobodyThereIsRefused() throws IOException {
    URI gone;
    try (var server = new ScriptedServer(PIECE)) {
      gone = server.uri();
    }
    try (var bucket = bucket(gone)) {
      var e = assertThrows(FsException.class, bucket::check);
      assertEquals(Errno.ECONNREFUSED, e.errno(), e.getMessage());
      assertTrue(e.getMessage().contains("--endpoint"), e.getMessage());
    }
  }

  @Test
  void H22_anInterruptEndsTheWaitAtOnce() throws Exception {
    Path keys = Files.writeString(directory.resolve("keys"), "AKIAKEY\ntop-secret-key\n");
    try (var server = new ScriptedServer(ScriptedServer.SILENCE);
        var bucket =
            opened(S3Settings.of("b", Optional.of(server.uri()), new Credentials.File(keys)))) {
      var failure = new CompletableFuture<FsException>();
      Thread reader =
          Thread.ofVirtual()
              .start(
                  () ->
                      failure.complete(
                          assertThrows(FsException.class, () -> bucket.get("k", "", 0, target))));
      assertTrue(server.silent.await(10, TimeUnit.SECONDS));
      reader.interrupt();
      // Well before the answer timeout of 30 s.
      assertEquals(Errno.EINTR, failure.get(10, TimeUnit.SECONDS).errno());
    }
  }

  @Test
  void aGetIsOneRequestOnOneConnection() throws IOException {
    try (var server = new ScriptedServer(PIECE);
        var bucket = bucket(server.uri())) {
      for (int i = 0; i < 20; i++) {
        assertEquals(5, bucket.get("a b", "e1", 0, target));
      }
      assertEquals(20, server.requests.size());
      assertEquals(1, server.connections.get());
      var request = server.requests.peek();
      assertEquals("GET /b/a%20b HTTP/1.1", request.line());
      assertEquals("\"e1\"", request.header("if-match"));
      assertEquals("bytes=0-99", request.header("range"));
    }
  }

  @Test
  void aPutIsOneRequestWithoutTrailersOrExpect() throws IOException {
    try (var server = new ScriptedServer(ScriptedServer.answer(200, "", "ETag: \"e1\""));
        var bucket = bucket(server.uri())) {
      var info = bucket.put("k", target, Map.of("k", "ü"), "", Condition.ABSENT);
      assertEquals("e1", info.etag());
      assertEquals(1, server.requests.size());
      var request = server.requests.peek();
      assertEquals("100", request.header("content-length"));
      assertEquals("*", request.header("if-none-match"));
      assertEquals("UTF-8''%C3%BC", request.header("x-amz-meta-k"));
      for (String absent :
          new String[] {"expect", "x-amz-trailer", "x-amz-sdk-checksum-algorithm"}) {
        assertEquals("", request.header(absent), absent);
      }
    }
  }

  @Test
  void aHeadIsOneRequest() throws IOException {
    try (var server = new ScriptedServer("HTTP/1.1 404 None\r\nContent-Length: 0\r\n\r\n");
        var bucket = bucket(server.uri())) {
      assertTrue(bucket.head("k").isEmpty());
      assertEquals(1, server.requests.size());
    }
  }
}
