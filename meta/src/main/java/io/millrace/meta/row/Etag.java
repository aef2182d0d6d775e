package io.millrace.meta.row;

import com.google.protobuf.ByteString;
import java.util.HexFormat;

/**
 * An etag in few bytes: 32 hex digits, with or without a multipart suffix, take 16 bytes and a
 * type. FORMATS.md, "Namespace".
 */
final class Etag {
  private static final int RAW = 0;
  private static final int MD5 = 1;
  private static final int MULTIPART = 2;
  private static final int HEX_DIGITS = 32;
  private static final HexFormat HEX = HexFormat.of();

  private Etag() {}

  static void write(RowWriter row, ByteString etag) {
    long parts = parts(etag);
    byte[] digest = parts < 0 ? null : digest(etag);
    if (digest == null) {
      row.u8(RAW).bytes(etag.toByteArray());
      return;
    }
    row.u8(parts == 0 ? MD5 : MULTIPART).rest(digest);
    if (parts > 0) {
      row.varint(parts);
    }
  }

  static ByteString read(RowReader row) {
    int type = row.format(RAW, MD5, MULTIPART);
    if (type == RAW) {
      return ByteString.copyFrom(row.bytes());
    }
    String hex = HEX.formatHex(row.slice(HEX_DIGITS / 2));
    return ByteString.copyFromUtf8(type == MD5 ? hex : hex + "-" + row.varint());
  }

  /** 0: none; -1: not of that form. */
  private static long parts(ByteString etag) {
    int size = etag.size();
    if (size == HEX_DIGITS) {
      return 0;
    }
    if (size < HEX_DIGITS + 2
        || size > HEX_DIGITS + 7
        || etag.byteAt(HEX_DIGITS) != '-'
        || etag.byteAt(HEX_DIGITS + 1) == '0') {
      return -1;
    }
    long parts = 0;
    for (int i = HEX_DIGITS + 1; i < size; i++) {
      int digit = etag.byteAt(i) - '0';
      if (digit < 0 || digit > 9) {
        return -1;
      }
      parts = parts * 10 + digit;
    }
    return parts;
  }

  /** Null where the first 32 are not lower-case hex digits. */
  private static byte[] digest(ByteString etag) {
    byte[] digest = new byte[HEX_DIGITS / 2];
    for (int i = 0; i < digest.length; i++) {
      int high = digit(etag.byteAt(2 * i));
      int low = digit(etag.byteAt(2 * i + 1));
      if ((high | low) < 0) {
        return null;
      }
      digest[i] = (byte) (high << 4 | low);
    }
    return digest;
  }

  private static int digit(int c) {
    if (c >= '0' && c <= '9') {
      return c - '0';
    }
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
  }
}
