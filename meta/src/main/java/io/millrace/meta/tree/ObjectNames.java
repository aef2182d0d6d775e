package io.millrace.meta.tree;

import io.millrace.meta.row.InodeState;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * How one name becomes the last part of an object's key. A file whose name a directory took ({@code
 * a} beside {@code a/b}) is shown as {@code a.__object__} and keeps the key {@code a} (S11).
 */
public final class ObjectNames {
  private static final byte[] SUFFIX = ".__object__".getBytes(StandardCharsets.US_ASCII);

  private ObjectNames() {}

  static byte[] last(InodeState inode) {
    byte[] name = inode.name;
    if (inode.isDirectory()) {
      byte[] prefix = Arrays.copyOf(name, name.length + 1);
      prefix[name.length] = '/';
      return prefix;
    }
    return ofFile(name);
  }

  /** The last part of a file's key. */
  static byte[] ofFile(byte[] name) {
    int start = name.length - SUFFIX.length;
    boolean shadowed =
        start > 0 && Arrays.equals(name, start, name.length, SUFFIX, 0, SUFFIX.length);
    return shadowed ? Arrays.copyOf(name, start) : name;
  }

  /** The name a file is shown by where a directory has its own. */
  public static byte[] shadowed(byte[] name) {
    byte[] shown = Arrays.copyOf(name, name.length + SUFFIX.length);
    System.arraycopy(SUFFIX, 0, shown, name.length, SUFFIX.length);
    return shown;
  }
}
