package io.millrace.buckets;

import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

/**
 * User metadata as headers hold it. A value of printable ASCII is sent as it is; any other as
 * {@code UTF-8''} and percent-encoded UTF-8 (the form of RFC 8187), because stores refuse the
 * signature of a header with other bytes. Only what this class would write is decoded, so values of
 * other tools come back unchanged, and go out again unchanged.
 */
final class UserMetadata {
  private static final String MARK = "UTF-8''";
  private static final String PLAIN =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$&+-.^_`|~/";
  private static final String HEX = "0123456789ABCDEF";

  private UserMetadata() {}

  static Map<String, String> encode(Map<String, String> metadata) {
    return mapped(metadata, true);
  }

  static Map<String, String> decode(Map<String, String> headers) {
    return mapped(headers, false);
  }

  private static Map<String, String> mapped(Map<String, String> from, boolean encode) {
    if (from.isEmpty()) {
      return Map.of();
    }
    var to = new HashMap<String, String>();
    from.forEach((key, value) -> to.put(key, encode ? encoded(value) : decoded(value)));
    return Map.copyOf(to);
  }

  private static String encoded(String value) {
    boolean plain = value.chars().allMatch(c -> c >= ' ' && c <= '~');
    if (plain && value.equals(value.strip()) && !value.startsWith(MARK)) {
      return value;
    }
    var text = new StringBuilder(MARK);
    for (byte b : value.getBytes(StandardCharsets.UTF_8)) {
      if (PLAIN.indexOf(b) >= 0) {
        text.append((char) b);
      } else {
        text.append('%').append(HEX.charAt(b >> 4 & 15)).append(HEX.charAt(b & 15));
      }
    }
    return text.toString();
  }

  private static String decoded(String value) {
    if (!value.startsWith(MARK)) {
      return value;
    }
    byte[] bytes = new byte[value.length()];
    int length = 0;
    for (int i = MARK.length(); i < value.length(); i++) {
      int octet = value.charAt(i);
      if (octet == '%' && i + 2 < value.length()) {
        octet = HEX.indexOf(value.charAt(i + 1)) << 4 | HEX.indexOf(value.charAt(i + 2));
        i += 2;
      }
      bytes[length++] = (byte) octet;
    }
    String text = new String(bytes, 0, length, StandardCharsets.UTF_8);
    return encoded(text).equals(value) ? text : value;
  }
}
