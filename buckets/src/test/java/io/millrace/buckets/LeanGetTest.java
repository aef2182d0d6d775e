package io.millrace.buckets;

import static io.millrace.buckets.ScriptedServer.answer;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** GETs beside the SDK, from servers that misbehave; what is common to both ways is elsewhere. */
@Timeout(30)
class LeanGetTest {
  private static final String PIECE =
      answer(206, "hello", "ETag: \"e1\"", "Content-Range: bytes 0-4/5");
  private static final String RANGE = "Content-Range: bytes 0-4/5";
  private static final String CHUNKED =
      lines(
          "HTTP/1.1 206 Said", RANGE, "Transfer-Encoding: chunked", "", "5", "hello", "0", "", "");
  private static final String OLD =
      lines("HTTP/1.0 206 Said", RANGE, "Content-Length: 5", "Connection: close", "", "hello");
  private static final String INTERIM =
      lines("HTTP/1.1 103 Early Hints", "Link: </x>", "", "HTTP/1.1 206 Said", RANGE)
          + "\r\nContent-Length: 5\r\n\r\nhello";

  private final MemorySegment target = Arena.ofAuto().allocate(100);

  private static final String LONG_HEAD =
      PIECE.replace("ETag", ("X-Long: " + "x".repeat(1000) + "\r\n").repeat(17) + "ETag");

  private static String lines(String... lines) {
    return String.join("\r\n", lines);
  }

  private static S3Bucket bucket(ScriptedServer server, Duration answer) {
    return new S3Bucket(
        new S3Settings(
            "b",
            Optional.of(server.uri()),
            "",
            new Credentials.Anonymous(),
            4,
            Duration.ofSeconds(2),
            answer,
            ""));
  }

  private static S3Bucket bucket(ScriptedServer server) {
    return bucket(server, Duration.ofMillis(400));
  }

  private String get(S3Bucket bucket) {
    target.fill((byte) '?');
    int read = bucket.get("k", "e1", 0, target);
    return new String(target.asSlice(0, read).toArray(ValueLayout.JAVA_BYTE), ISO_8859_1);
  }

  private static List<String> agents(ScriptedServer server) {
    return server.requests.stream()
        .map(request -> request.header("user-agent").startsWith("aws-sdk") ? "sdk" : "lean")
        .toList();
  }

  @Test
  void anonymousRequestsAreNotSigned() throws IOException {
    try (var server = new ScriptedServer(PIECE);
        var bucket = bucket(server)) {
      assertEquals("hello", get(bucket));
      assertEquals(List.of("lean"), agents(server));
      assertEquals("", server.requests.element().header("authorization"));
      assertEquals("127.0.0.1:" + server.uri().getPort(), server.requests.element().header("host"));
    }
  }

  @Test
  void aBodyBeyondTheFirstPacketsArrivesWhole() throws IOException {
    String body = "0123456789".repeat(30_000);
    try (var server =
            new ScriptedServer(
                answer(206, body, "ETag: \"e1\"", "Content-Range: bytes 0-299999/300000"));
        var bucket = bucket(server)) {
      MemorySegment large = Arena.ofAuto().allocate(body.length());
      assertEquals(body.length(), bucket.get("k", "e1", 0, large));
      assertEquals(-1, large.mismatch(MemorySegment.ofArray(body.getBytes(ISO_8859_1))));
      assertEquals(List.of("lean"), agents(server));
    }
  }

  static List<String> strangeAnswers() {
    return List.of(OLD, INTERIM, LONG_HEAD);
  }

  @ParameterizedTest
  @MethodSource("strangeAnswers")
  void whatIsNotUnderstoodIsLeftToTheSdk(String answer) throws IOException {
    try (var server = new ScriptedServer(answer);
        var bucket = bucket(server)) {
      assertEquals("hello", get(bucket));
      assertEquals(List.of("lean", "sdk"), agents(server));
    }
  }

  @Test
  void aServerThatIsNeverUnderstoodIsNotAskedTwiceForEver() throws IOException {
    try (var server = new ScriptedServer(OLD);
        var bucket = bucket(server)) {
      for (int i = 0; i < 10; i++) {
        assertEquals("hello", get(bucket));
      }
      assertEquals(13, server.requests.size());
    }
  }

  @Test
  void aBodyOfUnknownLengthIsRefusedAsBefore() throws IOException {
    try (var server = new ScriptedServer(CHUNKED);
        var bucket = bucket(server)) {
      var e = assertThrows(FsException.class, () -> get(bucket));
      assertEquals(Errno.EIO, e.errno());
      assertTrue(e.getMessage().contains("gives no content length"), e.getMessage());
      assertEquals(List.of("lean"), agents(server));
    }
  }

  @Test
  void aRefusalWithoutAReadableReasonIsLeftToTheSdk() throws IOException {
    String chunked =
        lines(
            "HTTP/1.1 404 Said",
            "Transfer-Encoding: chunked",
            "",
            "28",
            "<Error><Code>NoSuchBucket</Code></Error>",
            "0",
            "",
            "");
    try (var server = new ScriptedServer(chunked);
        var bucket = bucket(server)) {
      var e = assertThrows(FsException.class, () -> get(bucket));
      assertEquals(Errno.ENOENT, e.errno());
      assertTrue(e.getMessage().contains("no such bucket"), e.getMessage());
      assertEquals(List.of("lean", "sdk"), agents(server));
    }
  }

  @Test
  void aRedirectIsNotFollowed() throws IOException {
    String answer =
        "HTTP/1.1 307 Said\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n";
    try (var server = new ScriptedServer(answer);
        var bucket = bucket(server)) {
      var e = assertThrows(FsException.class, () -> get(bucket));
      assertEquals(Errno.EIO, e.errno());
      assertTrue(e.getMessage().contains("--region"), e.getMessage());
    }
  }

  @Test
  void aBusyStoreIsNotAskedASecondTimeAtOnce() throws IOException {
    String busy =
        ScriptedServer.error(503, "SlowDown")
            .replace("Content-Type", "Retry-After: 5\r\nContent-Type");
    String chunked = lines("HTTP/1.1 503 Said", "Transfer-Encoding: chunked", "", "0", "", "");
    try (var server = new ScriptedServer(busy, chunked, PIECE);
        var bucket = bucket(server)) {
      assertEquals(Errno.EAGAIN, assertThrows(FsException.class, () -> get(bucket)).errno());
      assertEquals(Errno.EAGAIN, assertThrows(FsException.class, () -> get(bucket)).errno());
      assertEquals("hello", get(bucket));
      assertEquals(List.of("lean", "lean", "lean"), agents(server));
      assertEquals(2, server.connections.get(), "kept after a readable refusal only");
    }
  }

  @Test
  void aConnectionClosedBetweenRequestsIsReplaced() throws Exception {
    String answer = PIECE.replace("ETag", ScriptedServer.HANGS_UP + "\r\nETag");
    try (var server = new ScriptedServer(answer);
        var bucket = bucket(server)) {
      for (int i = 1; i <= 5; i++) {
        assertEquals("hello", get(bucket));
        assertTrue(server.ended.tryAcquire(10, TimeUnit.SECONDS));
        assertEquals(i, server.connections.get());
      }
      assertEquals(5, server.requests.size());
    }
  }

  @Test
  void anAnswerThatBeganIsNotAskedForAgain() throws IOException {
    try (var server = new ScriptedServer(PIECE, "HTTP/1.1 206 " + ScriptedServer.HANGS_UP);
        var bucket = bucket(server)) {
      assertEquals("hello", get(bucket));
      var e = assertThrows(FsException.class, () -> get(bucket));
      assertEquals(Errno.EAGAIN, e.errno(), e.getMessage());
      assertEquals(2, server.requests.size());
    }
  }

  @Test
  void H02_bytesAfterTheBodyAreNeverTakenForTheNextAnswer() throws IOException {
    String more = PIECE + PIECE.replace("hello", "wrong");
    try (var server = new ScriptedServer(more, PIECE);
        var bucket = bucket(server)) {
      assertEquals("hello", get(bucket));
      assertEquals("hello", get(bucket));
      assertEquals(2, server.connections.get());
    }
  }

  @Test
  void aWholeObjectWhereARangeWasAskedForIsCutAndItsConnectionClosed() throws IOException {
    String whole = answer(200, "hello".repeat(100), "ETag: \"e1\"");
    try (var server = new ScriptedServer(whole);
        var bucket = bucket(server)) {
      assertEquals("hello".repeat(20), get(bucket));
      assertEquals("hello".repeat(20), get(bucket));
      assertEquals(2, server.connections.get());
    }
  }

  @Test
  void aSlowAnswerIsNotATimeout() throws IOException {
    try (var server = new DrippingServer(PIECE, Duration.ofMillis(20));
        var bucket =
            new S3Bucket(
                new S3Settings(
                    "b",
                    Optional.of(server.uri()),
                    "",
                    new Credentials.Anonymous(),
                    1,
                    Duration.ofSeconds(2),
                    Duration.ofMillis(600),
                    ""))) {
      long start = System.nanoTime();
      assertEquals("hello", get(bucket));
      assertTrue(System.nanoTime() - start > Duration.ofMillis(600).toNanos(), "too fast a drip");
    }
  }

  @Test
  void silenceAfterHalfAHeadIsATimeout() throws IOException {
    try (var server = new ScriptedServer("HTTP/1.1 206 Sa");
        var bucket = bucket(server)) {
      var e = assertThrows(FsException.class, () -> get(bucket));
      assertEquals(Errno.ETIMEDOUT, e.errno(), e.getMessage());
      assertEquals(1, server.requests.size());
    }
  }

  @Test
  void silenceInTheBodyIsATimeout() throws IOException {
    try (var server = new ScriptedServer(PIECE.replace("hello", "hel"));
        var bucket = bucket(server)) {
      var e = assertThrows(FsException.class, () -> get(bucket));
      assertEquals(Errno.ETIMEDOUT, e.errno(), e.getMessage());
    }
  }

  @Test
  void H22_anInterruptEndsTheWaitOfAPlatformThreadToo() throws Exception {
    try (var server = new ScriptedServer(ScriptedServer.SILENCE);
        var bucket = bucket(server, Duration.ofSeconds(30))) {
      var failure = new CompletableFuture<FsException>();
      var flag = new CompletableFuture<Boolean>();
      Thread reader =
          Thread.ofPlatform()
              .start(
                  () -> {
                    failure.complete(assertThrows(FsException.class, () -> get(bucket)));
                    flag.complete(Thread.currentThread().isInterrupted());
                  });
      assertTrue(server.silent.await(10, TimeUnit.SECONDS));
      reader.interrupt();
      assertEquals(Errno.EINTR, failure.get(10, TimeUnit.SECONDS).errno());
      assertTrue(flag.get(10, TimeUnit.SECONDS));
    }
  }

  @Test
  void closingTheBucketEndsRequestsUnderWay() throws Exception {
    try (var server = new ScriptedServer(ScriptedServer.SILENCE)) {
      var bucket = bucket(server, Duration.ofSeconds(30));
      var failure = new CompletableFuture<FsException>();
      Thread.ofVirtual()
          .start(() -> failure.complete(assertThrows(FsException.class, () -> get(bucket))));
      assertTrue(server.silent.await(10, TimeUnit.SECONDS));
      bucket.close();
      assertEquals(Errno.EAGAIN, failure.get(10, TimeUnit.SECONDS).errno());
      assertFalse(failure.isCompletedExceptionally());
    }
  }

  @Test
  void anOddEtagIsLeftToTheSdk() throws IOException {
    String odd = PIECE.replace("\"e1\"", "\"e  1\"");
    try (var server = new ScriptedServer(odd);
        var bucket = bucket(server)) {
      assertEquals(5, bucket.get("k", "e  1", 0, target));
      assertEquals(List.of("sdk"), agents(server));
    }
  }
}
