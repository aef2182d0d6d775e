package io.millrace.buckets;

import java.lang.foreign.MemorySegment;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;

/** Entity tags as S3 makes and writes them; the port carries them without quotes. */
final class Etag {
  private static final int DIGEST_STEP = 1 << 20;

  private Etag() {}

  /** As S3 gives it to an object that was put in one piece and is not encrypted by KMS. */
  static String ofContent(MemorySegment body) {
    var md5 = md5();
    for (long at = 0; at < body.byteSize(); at += DIGEST_STEP) {
      long length = Math.min(DIGEST_STEP, body.byteSize() - at);
      md5.update(body.asSlice(at, length).asByteBuffer());
    }
    return HexFormat.of().formatHex(md5.digest());
  }

  /** As S3 gives it to a multipart object. Empty: a part's tag is not an MD5, so nobody knows. */
  static String ofParts(List<String> parts) {
    var md5 = md5();
    try {
      parts.forEach(part -> md5.update(HexFormat.of().parseHex(part)));
    } catch (IllegalArgumentException e) {
      return "";
    }
    return HexFormat.of().formatHex(md5.digest()) + "-" + parts.size();
  }

  /** From a header; null, as the SDK gives it, is none. Weak tags stay as they are. */
  static String fromHeader(String header) {
    if (header == null) {
      return "";
    }
    boolean quoted = header.length() >= 2 && header.startsWith("\"") && header.endsWith("\"");
    return quoted ? header.substring(1, header.length() - 1) : header;
  }

  static String toHeader(String etag) {
    return etag.startsWith("W/") ? etag : "\"" + etag + "\"";
  }

  private static MessageDigest md5() {
    try {
      return MessageDigest.getInstance("MD5");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every JDK has MD5", e);
    }
  }
}
