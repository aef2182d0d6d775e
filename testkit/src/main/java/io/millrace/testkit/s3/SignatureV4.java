package io.millrace.testkit.s3;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.HexFormat;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** AWS signature version 4 of one S3 request in region us-east-1. */
record SignatureV4(S3Endpoint endpoint, Instant time) {
  private static final DateTimeFormatter STAMP =
      DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss'Z'").withZone(ZoneOffset.UTC);

  /**
   * The headers to send: those given, and with them the signature over all of them and the body.
   */
  Map<String, String> sign(
      String method, String path, String query, Map<String, String> headers, byte[] body) {
    String stamp = STAMP.format(time);
    SortedMap<String, String> signed = new TreeMap<>();
    headers.forEach((name, value) -> signed.put(name.toLowerCase(java.util.Locale.ROOT), value));
    signed.put("host", endpoint.uri().getAuthority());
    signed.put("x-amz-content-sha256", sha256(body));
    signed.put("x-amz-date", stamp);
    String names = String.join(";", signed.keySet());
    var canonical = new StringBuilder(method).append('\n').append(path).append('\n').append(query);
    signed.forEach((name, value) -> canonical.append('\n').append(name).append(':').append(value));
    canonical.append("\n\n").append(names).append('\n').append(sha256(body));
    String scope = stamp.substring(0, 8) + "/us-east-1/s3/aws4_request";
    String text =
        String.join("\n", "AWS4-HMAC-SHA256", stamp, scope, sha256(utf8(canonical.toString())));
    signed.put(
        "authorization",
        "AWS4-HMAC-SHA256 Credential=%s/%s,SignedHeaders=%s,Signature=%s"
            .formatted(endpoint.accessKey(), scope, names, signature(stamp, text)));
    signed.remove("host"); // the HTTP client sends it
    return signed;
  }

  private String signature(String stamp, String text) {
    byte[] key = utf8("AWS4" + endpoint.secretKey());
    for (String part : new String[] {stamp.substring(0, 8), "us-east-1", "s3", "aws4_request"}) {
      key = hmac(key, part);
    }
    return HexFormat.of().formatHex(hmac(key, text));
  }

  private static byte[] hmac(byte[] key, String text) {
    try {
      Mac mac = Mac.getInstance("HmacSHA256");
      mac.init(new SecretKeySpec(key, "HmacSHA256"));
      return mac.doFinal(utf8(text));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every JDK has HmacSHA256", e);
    }
  }

  private static String sha256(byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
