package io.millrace.buckets.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What of a head is understood, and what is not for good reasons. */
class AnswerHeadTest {
  private static AnswerHead parse(String... lines) throws NotUnderstoodException {
    return AnswerHead.parse(String.join("\r\n", lines) + "\r\n");
  }

  @Test
  void readsWhatAGetNeeds() throws Exception {
    var head =
        parse(
            "HTTP/1.1 206 Partial Content",
            "Server: x: y",
            "CONTENT-LENGTH:  5 ",
            "ETag:\"e1\"",
            "x-amz-meta-etag: other",
            "Content-Range: bytes 0-4/9");
    assertEquals(new AnswerHead(206, 5, "\"e1\"", "bytes 0-4/9", true), head);
  }

  @Test
  void readsAHeadWithoutAnything() throws Exception {
    assertEquals(new AnswerHead(200, -1, "", "", true), parse("HTTP/1.1 200"));
    assertEquals(new AnswerHead(200, -1, "", "", true), parse("HTTP/1.1 200 "));
  }

  @Test
  void aBodyThatIsFramedInAnotherWayHasNoLength() throws Exception {
    var head = parse("HTTP/1.1 200 OK", "Content-Length: 5", "transfer-encoding: chunked");
    assertEquals(-1, head.contentLength());
    assertEquals(-1, parse("HTTP/1.1 304 Same", "Content-Length: 5").contentLength());
  }

  @Test
  void theServerMayCloseTheConnection() throws Exception {
    assertFalse(parse("HTTP/1.1 200 OK", "Connection: Close").keepsOpen());
    assertFalse(parse("HTTP/1.1 200 OK", "Connection: te, close").keepsOpen());
  }

  static List<String> strange() {
    return List.of(
        "HTTP/1.0 200 OK",
        "HTTP/2 200",
        "HTTP/1.1 20",
        "HTTP/1.1 2x0 OK",
        "HTTP/1.1 2000 OK",
        "HTTP/1.1 100 Continue",
        "ICY 200 OK",
        "",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5",
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nContent-Length: 5",
        "HTTP/1.1 200 OK\r\nContent-Length: -5",
        "HTTP/1.1 200 OK\r\nContent-Length: +5",
        "HTTP/1.1 200 OK\r\nContent-Length: 5, 5",
        "HTTP/1.1 200 OK\r\nContent-Length:",
        "HTTP/1.1 200 OK\r\nContent-Length: 1234567890123456789",
        "HTTP/1.1 200 OK\r\nContent-Length : 5",
        "HTTP/1.1 200 OK\r\nETag: \"a\"\r\nETag: \"b\"",
        "HTTP/1.1 200 OK\r\nServer: x\r\n folded: y",
        "HTTP/1.1 200 OK\r\nno colon",
        "HTTP/1.1 200 OK\r\n: no name");
  }

  @ParameterizedTest
  @MethodSource("strange")
  void refusesWhatCouldBeReadInTwoWays(String text) {
    assertThrows(NotUnderstoodException.class, () -> parse(text));
  }
}
