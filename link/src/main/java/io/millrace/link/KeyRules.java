package io.millrace.link;

import io.millrace.core.api.Bucket;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/** Which keys a POSIX tree can hold (S12), and under which names. */
final class KeyRules {
  static final int NAME_BYTES_MAX = 255;
  static final int PATH_BYTES_MAX = 4096;

  /** The name of a file whose key is also a directory's prefix (S11) ends in this. */
  static final String OBJECT_SUFFIX = ".__object__";

  private KeyRules() {}

  /**
   * What is wrong with the parts of {@code key} from {@code from}, as the code of a report row.
   *
   * @param rootBytes bytes of the path before the key's first part
   */
  static Optional<String> problem(String key, int from, int rootBytes) {
    int start = from;
    int length = key.length();
    if (key.indexOf('\0', from) >= 0) {
      return Optional.of("NUL_IN_KEY");
    }
    while (start < length) {
      int slash = key.indexOf('/', start);
      int end = slash < 0 ? length : slash;
      String problem = partProblem(key, start, end);
      if (problem != null) {
        return Optional.of(problem);
      }
      start = end + 1;
    }
    boolean longPath =
        rootBytes + 3 * length > PATH_BYTES_MAX && rootBytes + bytes(key) > PATH_BYTES_MAX;
    return longPath ? Optional.of("PATH_TOO_LONG") : Optional.empty();
  }

  private static String partProblem(String key, int start, int end) {
    int length = end - start;
    if (length == 0) {
      return "EMPTY_PART";
    }
    if (length <= 2 && key.charAt(start) == '.' && key.charAt(end - 1) == '.') {
      return "DOT_PART";
    }
    boolean tooLong =
        3 * length > NAME_BYTES_MAX && bytes(key.substring(start, end)) > NAME_BYTES_MAX;
    return tooLong ? "NAME_TOO_LONG" : null;
  }

  private static int bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8).length;
  }

  /**
   * What a node that was killed while it asked what a store can do has left there: nobody's file.
   */
  static boolean isProbe(String key) {
    return key.startsWith(Bucket.PROBE, key.lastIndexOf('/') + 1);
  }

  /** The last part of the key of a file that is shown by this name. */
  static String keyPart(String name) {
    boolean shadowed = name.endsWith(OBJECT_SUFFIX) && name.length() > OBJECT_SUFFIX.length();
    return shadowed ? name.substring(0, name.length() - OBJECT_SUFFIX.length()) : name;
  }

  /**
   * {@code name.conflict-<etag8>}, shortened at its front part to fit (H18); where that name is
   * something else's, {@code -2} and so on follow.
   */
  static String conflictName(String name, String etag, int n) {
    String suffix =
        ".conflict-" + etag.substring(0, Math.min(8, etag.length())) + (n == 1 ? "" : "-" + n);
    String kept = name;
    while (bytes(kept) + suffix.length() > NAME_BYTES_MAX) {
      kept = kept.substring(0, kept.offsetByCodePoints(kept.length(), -1));
    }
    return kept + suffix;
  }
}
