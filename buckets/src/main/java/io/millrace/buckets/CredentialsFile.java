package io.millrace.buckets;

import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentials;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;

/**
 * Reads the keys of one user from a file, in either form:
 *
 * <ul>
 *   <li>{@code aws_access_key_id = …}, {@code aws_secret_access_key = …} and perhaps {@code
 *       aws_session_token = …}, one a line; {@code access_key}, {@code secret_key} and {@code
 *       session_token} do as well. Of a file with {@code [profiles]} the first one counts.
 *   <li>two lines: the access key, then the secret key.
 * </ul>
 *
 * Empty lines and lines that begin with {@code #} are skipped. No message repeats what is in it.
 */
final class CredentialsFile {
  private static final Map<String, String> NAMES =
      Map.of(
          "aws_access_key_id", "access",
          "access_key", "access",
          "aws_secret_access_key", "secret",
          "secret_key", "secret",
          "aws_session_token", "token",
          "session_token", "token");

  private CredentialsFile() {}

  /**
   * @throws FsException EACCES the file can't be read; EINVAL it has neither form
   */
  static AwsCredentials read(Path path) {
    List<String> lines = firstProfile(lines(path));
    Map<String, String> named = named(lines);
    if (named.isEmpty() && lines.size() == 2) {
      return AwsBasicCredentials.create(lines.get(0), lines.get(1));
    }
    if (!named.containsKey("access") || !named.containsKey("secret")) {
      throw new FsException(
          Errno.EINVAL,
          "no keys in the credentials file; write aws_access_key_id = and aws_secret_access_key ="
              + " lines, or the two keys on two lines",
          "file",
          path);
    }
    String token = named.get("token");
    return token == null
        ? AwsBasicCredentials.create(named.get("access"), named.get("secret"))
        : AwsSessionCredentials.create(named.get("access"), named.get("secret"), token);
  }

  private static List<String> lines(Path path) {
    try {
      return Files.readAllLines(path, StandardCharsets.UTF_8).stream()
          .map(String::strip)
          .filter(line -> !line.isEmpty() && !line.startsWith("#"))
          .toList();
    } catch (IOException e) {
      throw new FsException(
          Errno.EACCES,
          "the credentials file can't be read; check its path and permissions",
          "file",
          path,
          "cause",
          e.getClass().getSimpleName());
    }
  }

  private static List<String> firstProfile(List<String> lines) {
    var kept = new ArrayList<String>();
    for (String line : lines) {
      boolean header = line.startsWith("[");
      if (header && !kept.isEmpty()) {
        break;
      }
      if (!header) {
        kept.add(line);
      }
    }
    return kept;
  }

  private static Map<String, String> named(List<String> lines) {
    var values = new HashMap<String, String>();
    for (String line : lines) {
      int equals = line.indexOf('=');
      String name = equals < 0 ? "" : line.substring(0, equals).strip();
      if (NAMES.containsKey(name)) {
        values.put(NAMES.get(name), line.substring(equals + 1).strip());
      }
    }
    return values;
  }
}
