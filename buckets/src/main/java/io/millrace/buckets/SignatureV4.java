package io.millrace.buckets;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.HexFormat;
import java.util.concurrent.atomic.AtomicReference;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * AWS signature version 4 of requests without a body to S3 in one region. The key derived from a
 * secret is kept for the day it is good for, the time's text for its second. Safe for many threads.
 */
final class SignatureV4 {
  static final String EMPTY_BODY =
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

  private static final String ALGORITHM = "AWS4-HMAC-SHA256";
  private static final DateTimeFormatter STAMP =
      DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss'Z'").withZone(ZoneOffset.UTC);

  /** {@code 20130524T000000Z}. */
  record Stamp(long second, String text) {
    String day() {
      return text.substring(0, "yyyyMMdd".length());
    }
  }

  private record DayKey(String secret, String day, SecretKeySpec key) {}

  private final String region;
  private final AtomicReference<Stamp> lastStamp;
  private final AtomicReference<DayKey> lastKey;

  SignatureV4(String region) {
    this.region = region;
    this.lastStamp = new AtomicReference<>(new Stamp(0, STAMP.format(Instant.EPOCH)));
    this.lastKey = new AtomicReference<>(new DayKey("", "", hmacKey(new byte[1])));
  }

  Stamp stamp(Instant time) {
    Stamp last = lastStamp.get();
    if (last.second == time.getEpochSecond()) {
      return last;
    }
    var fresh = new Stamp(time.getEpochSecond(), STAMP.format(time));
    lastStamp.set(fresh);
    return fresh;
  }

  /**
   * The value of the Authorization header.
   *
   * @param canonicalHeaders {@code name:value} lines in order of name
   * @param names of these headers, joined by semicolons
   */
  String authorization(
      String accessKey,
      String secret,
      Stamp stamp,
      String path,
      CharSequence canonicalHeaders,
      String names) {
    String request = "GET\n" + path + "\n\n" + canonicalHeaders + "\n" + names + "\n" + EMPTY_BODY;
    String scope = stamp.day() + "/" + region + "/s3/aws4_request";
    String text = ALGORITHM + "\n" + stamp.text() + "\n" + scope + "\n" + sha256(request);
    String signature = HexFormat.of().formatHex(hmac(dayKey(secret, stamp.day()), text));
    return ALGORITHM
        + " Credential="
        + accessKey
        + "/"
        + scope
        + ", SignedHeaders="
        + names
        + ", Signature="
        + signature;
  }

  private SecretKeySpec dayKey(String secret, String day) {
    DayKey last = lastKey.get();
    if (last.day.equals(day) && last.secret.equals(secret)) {
      return last.key;
    }
    SecretKeySpec key = hmacKey(("AWS4" + secret).getBytes(UTF_8));
    for (String part : new String[] {day, region, "s3", "aws4_request"}) {
      key = hmacKey(hmac(key, part));
    }
    lastKey.set(new DayKey(secret, day, key));
    return key;
  }

  private static SecretKeySpec hmacKey(byte[] bytes) {
    return new SecretKeySpec(bytes, "HmacSHA256");
  }

  private static byte[] hmac(SecretKeySpec key, String text) {
    try {
      Mac mac = Mac.getInstance("HmacSHA256");
      mac.init(key);
      return mac.doFinal(text.getBytes(UTF_8));
    } catch (GeneralSecurityException e) {
      throw new AssertionError("every JDK has HmacSHA256", e);
    }
  }

  private static String sha256(String text) {
    try {
      var digest = MessageDigest.getInstance("SHA-256");
      return HexFormat.of().formatHex(digest.digest(text.getBytes(UTF_8)));
    } catch (GeneralSecurityException e) {
      throw new AssertionError("every JDK has SHA-256", e);
    }
  }
}
