package io.millrace.buckets;

import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import java.nio.file.Path;

/**
 * Where the keys to a bucket come from: never the keys themselves, so that a link's record, logs
 * and messages can hold it (S26).
 */
public sealed interface Credentials {
  /** The AWS default chain: environment, system properties, {@code ~/.aws}, instance role. */
  record DefaultChain() implements Credentials {}

  /** A named profile of {@code ~/.aws/credentials} and {@code ~/.aws/config}. */
  record Profile(String name) implements Credentials {}

  /** A file as {@link CredentialsFile} reads it; read when the bucket is opened. */
  record File(Path path) implements Credentials {}

  /** Requests are not signed: public buckets. */
  record Anonymous() implements Credentials {}

  /**
   * As link records keep it: empty for the default chain, {@code profile:NAME}, {@code file:PATH}
   * or {@code anonymous}.
   */
  static Credentials parse(String text) {
    if (text.isEmpty()) {
      return new DefaultChain();
    }
    if (text.equals("anonymous")) {
      return new Anonymous();
    }
    if (text.startsWith("profile:") && text.length() > "profile:".length()) {
      return new Profile(text.substring("profile:".length()));
    }
    if (text.startsWith("file:") && text.length() > "file:".length()) {
      return new File(Path.of(text.substring("file:".length())));
    }
    // The text is not repeated: it may be a secret that was typed into the wrong place (S26).
    throw new FsException(
        Errno.EINVAL, "credentials are named by profile:NAME, file:PATH or anonymous");
  }

  /** The text that {@link #parse} takes. */
  default String asText() {
    return switch (this) {
      case DefaultChain() -> "";
      case Profile(String name) -> "profile:" + name;
      case File(Path path) -> "file:" + path;
      case Anonymous() -> "anonymous";
    };
  }
}
