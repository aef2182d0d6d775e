package io.millrace.buckets;

import java.util.Comparator;

/** Orders keys as S3 lists them: by UTF-8 bytes, which is by code point, not by UTF-16 unit. */
enum KeyOrder implements Comparator<String> {
  UTF8;

  @Override
  public int compare(String a, String b) {
    int common = Math.min(a.length(), b.length());
    for (int i = 0; i < common; i++) {
      char left = a.charAt(i);
      char right = b.charAt(i);
      if (left != right) {
        return Integer.compare(rank(left), rank(right));
      }
    }
    return Integer.compare(a.length(), b.length());
  }

  /** Surrogates stand for code points above all other units. */
  private static int rank(char unit) {
    return Character.isSurrogate(unit) ? unit + 0x10000 : unit;
  }

  /** The first string after all that begin with {@code prefix}; prefixes end in a delimiter. */
  static String after(String prefix) {
    int last = prefix.length() - 1;
    return prefix.substring(0, last) + (char) (prefix.charAt(last) + 1);
  }
}
