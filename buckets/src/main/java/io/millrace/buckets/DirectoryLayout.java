package io.millrace.buckets;

import static java.nio.file.LinkOption.NOFOLLOW_LINKS;

import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.HexFormat;
import java.util.Optional;

/**
 * Where a {@link DirectoryBucket} keeps things. A key that is a fit relative path is that file, so
 * a directory of ordinary files is a bucket as it stands. Any other key ({@code a} beside {@code
 * a/x}, {@code dir/}, {@code //}, {@code ..}, long parts) is a file below {@code
 * .millrace-bucket/odd}, named by its base64url in steps of 200 characters; the last step ends in a
 * dot, so that no key lies below another. Immutable.
 */
final class DirectoryLayout {
  static final String PRIVATE = ".millrace-bucket";

  private static final int KEY_BYTES_MAX = 1024;
  private static final int PART_BYTES_MAX = 255;
  private static final int STEP = 200;
  private static final char LAST_STEP = '.';

  private final Path root;

  DirectoryLayout(Path root) {
    this.root = root;
  }

  Path root() {
    return root;
  }

  Path odd() {
    return root.resolve(PRIVATE, "odd");
  }

  Path temporary() {
    return root.resolve(PRIVATE, "temporary");
  }

  Path upload(String id) {
    boolean fit = !id.isEmpty() && id.chars().allMatch(c -> c == '-' || Character.isDigit(c));
    return root.resolve(PRIVATE, "uploads").resolve(fit ? id : "-");
  }

  /** Metadata of one version of one object; absent where there is none. */
  Path sidecar(String key, String etag) {
    return root.resolve(PRIVATE, "metadata", digest(key) + "." + etag);
  }

  /** The file that holds this key's object now. */
  Optional<Path> find(String key) {
    Optional<Path> plain = plain(key).filter(path -> Files.isRegularFile(path, NOFOLLOW_LINKS));
    return plain.isPresent() ? plain : Optional.of(odd(key)).filter(Files::isRegularFile);
  }

  /** Empty: this key can't be a path here. */
  Optional<Path> plain(String key) {
    String[] parts = key.split("/", -1);
    if (parts[0].equals(PRIVATE)) {
      return Optional.empty();
    }
    for (String part : parts) {
      boolean fit =
          !part.isEmpty()
              && !part.equals(".")
              && !part.equals("..")
              && part.getBytes(StandardCharsets.UTF_8).length <= PART_BYTES_MAX;
      if (!fit) {
        return Optional.empty();
      }
    }
    try {
      return Optional.of(root.resolve(key));
    } catch (InvalidPathException e) {
      return Optional.empty(); // NUL, or a character that the JVM's file names can't hold
    }
  }

  Path odd(String key) {
    byte[] bytes = key.getBytes(StandardCharsets.UTF_8);
    if (bytes.length == 0 || bytes.length > KEY_BYTES_MAX) {
      throw new FsException(
          Errno.ENAMETOOLONG, "a key has 1 to 1024 bytes", "key", key, "bytes", bytes.length);
    }
    String name = Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    Path path = odd();
    for (int at = 0; at < name.length(); at += STEP) {
      boolean last = at + STEP >= name.length();
      path = path.resolve(last ? name.substring(at) + LAST_STEP : name.substring(at, at + STEP));
    }
    return path;
  }

  /** The key of a file below {@link #odd}. */
  String oddKey(Path path) {
    var name = new StringBuilder();
    odd().relativize(path).forEach(name::append);
    name.setLength(name.length() - 1);
    return new String(Base64.getUrlDecoder().decode(name.toString()), StandardCharsets.UTF_8);
  }

  private static String digest(String key) {
    try {
      byte[] bytes = key.getBytes(StandardCharsets.UTF_8);
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every JDK has SHA-256", e);
    }
  }
}
