package io.millrace.buckets.http;

import java.util.Locale;

/**
 * What of an answer's head a GET of an object needs. Strict: where a lenient reader and a strict
 * one could take different bytes for the body, the head is not understood.
 *
 * @param contentLength -1: not given, or the body is framed in another way
 * @param etag as in the header; empty: not given
 * @param contentRange empty: not given
 * @param keepsOpen the server takes another request on this connection
 */
public record AnswerHead(
    int status, long contentLength, String etag, String contentRange, boolean keepsOpen) {
  private static final String VERSION = "HTTP/1.1 ";
  private static final int STATUS_END = VERSION.length() + 3;
  private static final int FINAL_STATUS_MIN = 200;
  private static final int NO_CONTENT = 204;
  private static final int NOT_MODIFIED = 304;
  private static final int LENGTH_DIGITS_MAX = 18;

  /**
   * @param text status line and headers, each ending in CRLF, without the empty line
   */
  static AnswerHead parse(String text) throws NotUnderstoodException {
    var fields = new Fields();
    int at = text.indexOf("\r\n");
    int status = status(text, at);
    for (at += 2; at < text.length(); ) {
      int end = text.indexOf("\r\n", at);
      fields.add(text, at, end);
      at = end + 2;
    }
    boolean bodiless = status == NO_CONTENT || status == NOT_MODIFIED;
    long length = fields.encoded || bodiless ? -1 : fields.length;
    return new AnswerHead(status, length, fields.etag, fields.range, !fields.closes);
  }

  private static int status(String text, int end) throws NotUnderstoodException {
    boolean known = text.startsWith(VERSION) && end >= STATUS_END;
    if (!known || (end > STATUS_END && text.charAt(STATUS_END) != ' ')) {
      throw new NotUnderstoodException("not an HTTP/1.1 answer");
    }
    int status = (int) number(text, VERSION.length(), STATUS_END);
    if (status < FINAL_STATUS_MIN) {
      throw new NotUnderstoodException("an interim answer");
    }
    return status;
  }

  private static long number(String text, int from, int to) throws NotUnderstoodException {
    if (from >= to || to - from > LENGTH_DIGITS_MAX) {
      throw new NotUnderstoodException("not a number");
    }
    long value = 0;
    for (int i = from; i < to; i++) {
      int digit = text.charAt(i) - '0';
      if (digit < 0 || digit > 9) {
        throw new NotUnderstoodException("not a number");
      }
      value = value * 10 + digit;
    }
    return value;
  }

  /** The headers that count, while they are read. */
  private static final class Fields {
    private long length = -1;
    private String etag = "";
    private String range = "";
    private boolean closes;
    private boolean encoded;

    void add(String text, int from, int end) throws NotUnderstoodException {
      int colon = text.indexOf(':', from);
      if (colon <= from || colon >= end || !isName(text, from, colon)) {
        throw new NotUnderstoodException("not a header line");
      }
      if (is("etag", text, from, colon)) {
        etag = once(etag, value(text, colon, end));
      } else if (is("connection", text, from, colon)) {
        closes |= value(text, colon, end).toLowerCase(Locale.ROOT).contains("close");
      } else if (is("content-range", text, from, colon)) {
        range = once(range, value(text, colon, end));
      } else if (is("content-length", text, from, colon)) {
        String value = value(text, colon, end);
        length = number(once(length < 0 ? "" : "given", value), 0, value.length());
      } else if (is("transfer-encoding", text, from, colon)) {
        encoded = true;
      }
    }

    private static String once(String before, String value) throws NotUnderstoodException {
      if (!before.isEmpty()) {
        throw new NotUnderstoodException("a header that counts came twice");
      }
      return value;
    }

    private static boolean is(String name, String text, int from, int colon) {
      return colon - from == name.length()
          && text.regionMatches(true, from, name, 0, name.length());
    }

    private static String value(String text, int colon, int end) {
      return text.substring(colon + 1, end).strip();
    }

    /** No blank, no control character: so neither a folded line nor a blank before the colon. */
    private static boolean isName(String text, int from, int colon) {
      for (int i = from; i < colon; i++) {
        if (text.charAt(i) <= ' ' || text.charAt(i) >= 0x7f) {
          return false;
        }
      }
      return true;
    }
  }
}
