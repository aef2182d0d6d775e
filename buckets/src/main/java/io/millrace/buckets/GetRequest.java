package io.millrace.buckets;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.time.InstantSource;
import java.util.Optional;
import software.amazon.awssdk.auth.credentials.AwsCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;

/**
 * Writes ranged GETs of one bucket's objects, signed. The credentials are asked for each time, so
 * that renewed ones count at once. Safe for many threads.
 */
final class GetRequest {
  private static final String UNRESERVED = "-._~/";
  private static final String HEX = "0123456789ABCDEF";
  private static final int ASCII_END = 0x7f;

  private final BucketAddress address;
  private final AwsCredentialsProvider provider;
  private final SignatureV4 signature;
  private final InstantSource clock;

  GetRequest(
      BucketAddress address, String region, AwsCredentialsProvider provider, InstantSource clock) {
    this.address = address;
    this.provider = provider;
    this.signature = new SignatureV4(region);
    this.clock = clock;
  }

  /**
   * Empty where a header's value is not plain text: such ones are folded and escaped by rules that
   * are not followed here.
   *
   * @param etag If-Match; empty: any
   */
  Optional<byte[]> bytes(String key, String etag, long first, long last) {
    String path = path(key);
    var headers = new StringBuilder(512);
    headers.append("host:").append(address.origin().authority()).append('\n');
    String names = "host";
    if (!etag.isEmpty()) {
      headers.append("if-match:").append(Etag.toHeader(etag)).append('\n');
      names += ";if-match";
    }
    headers.append("range:bytes=").append(first).append('-').append(last).append('\n');
    names += ";range";
    AwsCredentials credentials = provider.resolveCredentials();
    if (credentials.accessKeyId() != null) {
      sign(path, headers, names, credentials);
    }
    return isPlain(headers) ? Optional.of(request(path, headers)) : Optional.empty();
  }

  private void sign(String path, StringBuilder headers, String names, AwsCredentials credentials) {
    SignatureV4.Stamp stamp = signature.stamp(clock.instant());
    headers.append("x-amz-content-sha256:").append(SignatureV4.EMPTY_BODY).append('\n');
    headers.append("x-amz-date:").append(stamp.text()).append('\n');
    String signed = names + ";x-amz-content-sha256;x-amz-date";
    if (credentials instanceof AwsSessionCredentials session) {
      headers.append("x-amz-security-token:").append(session.sessionToken()).append('\n');
      signed += ";x-amz-security-token";
    }
    String authorization =
        signature.authorization(
            credentials.accessKeyId(), credentials.secretAccessKey(), stamp, path, headers, signed);
    headers.append("authorization:").append(authorization).append('\n');
  }

  /** Visible ASCII and single blanks inside, as canonical headers want it. */
  private static boolean isPlain(CharSequence headers) {
    for (int i = 0; i < headers.length(); i++) {
      char c = headers.charAt(i);
      boolean blank = c == ' ' && (i == 0 || headers.charAt(i - 1) <= ' ');
      if (blank || c >= ASCII_END || (c < ' ' && c != '\n')) {
        return false;
      }
    }
    return true;
  }

  /** From canonical headers to those of HTTP: a blank after the first colon, CRLF at the end. */
  private static byte[] request(String path, StringBuilder headers) {
    var text = new StringBuilder(path.length() + headers.length() + 64);
    text.append("GET ").append(path).append(" HTTP/1.1\r\nuser-agent: millrace\r\n");
    for (int from = 0; from < headers.length(); ) {
      int colon = headers.indexOf(":", from) + 1;
      int end = headers.indexOf("\n", colon);
      text.append(headers, from, colon).append(' ').append(headers, colon, end).append("\r\n");
      from = end + 1;
    }
    return text.append("\r\n").toString().getBytes(ISO_8859_1);
  }

  private String path(String key) {
    var path = new StringBuilder(address.pathPrefix().length() + key.length() + 16);
    path.append(address.pathPrefix());
    int plain = 0;
    while (plain < key.length() && isUnreserved(key.charAt(plain))) {
      plain++;
    }
    path.append(key, 0, plain);
    if (plain < key.length()) {
      escape(key.substring(plain), path);
    }
    return path.toString();
  }

  private static void escape(String text, StringBuilder target) {
    for (byte b : text.getBytes(UTF_8)) {
      if (isUnreserved((char) (b & 0xff))) {
        target.append((char) b);
      } else {
        target.append('%').append(HEX.charAt((b >> 4) & 0xf)).append(HEX.charAt(b & 0xf));
      }
    }
  }

  private static boolean isUnreserved(char c) {
    return (c >= 'a' && c <= 'z')
        || (c >= 'A' && c <= 'Z')
        || (c >= '0' && c <= '9')
        || UNRESERVED.indexOf(c) >= 0;
  }
}
