package io.millrace.buckets;

import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import java.nio.file.Path;

/**
 * Names a bucket and a place in it: {@code s3://BUCKET[/PREFIX]}, {@code file:///DIRECTORY} (the
 * directory is the bucket) or {@code mem:NAME[/PREFIX]}.
 */
public sealed interface BucketUrl {

  /**
   * @param prefix empty or ending in a slash
   */
  record S3(String bucket, String prefix) implements BucketUrl {}

  record Directory(Path path) implements BucketUrl {}

  /**
   * @param prefix empty or ending in a slash
   */
  record Memory(String bucket, String prefix) implements BucketUrl {}

  /** Where in the bucket: empty or ending in a slash. */
  default String placePrefix() {
    return switch (this) {
      case S3(_, String prefix) -> prefix;
      case Memory(_, String prefix) -> prefix;
      case Directory _ -> "";
    };
  }

  /**
   * @throws FsException EINVAL no such form
   */
  static BucketUrl parse(String text) {
    if (text.startsWith("s3://")) {
      String rest = text.substring("s3://".length());
      return new S3(bucketOf(text, rest), prefixOf(rest));
    }
    if (text.startsWith("mem:")) {
      String rest = text.substring("mem:".length());
      return new Memory(bucketOf(text, rest), prefixOf(rest));
    }
    if (text.startsWith("file:///")) {
      return new Directory(Path.of(text.substring("file://".length())).normalize());
    }
    throw malformed(text);
  }

  /** The form that {@link #parse} takes. */
  default String asText() {
    return switch (this) {
      case S3(String bucket, String prefix) -> "s3://" + joined(bucket, prefix);
      case Memory(String bucket, String prefix) -> "mem:" + joined(bucket, prefix);
      case Directory(Path path) -> "file://" + path;
    };
  }

  private static String joined(String bucket, String prefix) {
    return prefix.isEmpty() ? bucket : bucket + "/" + prefix;
  }

  private static String bucketOf(String text, String rest) {
    int slash = rest.indexOf('/');
    String bucket = slash < 0 ? rest : rest.substring(0, slash);
    if (bucket.isEmpty() || bucket.contains("@")) {
      throw malformed(bucket.contains("@") ? "(holds an @)" : text);
    }
    return bucket;
  }

  private static String prefixOf(String rest) {
    int slash = rest.indexOf('/');
    String prefix = slash < 0 ? "" : rest.substring(slash + 1);
    return prefix.isEmpty() || prefix.endsWith("/") ? prefix : prefix + "/";
  }

  private static FsException malformed(String text) {
    return new FsException(
        Errno.EINVAL,
        "a bucket is s3://BUCKET[/PREFIX], file:///DIRECTORY or mem:NAME",
        "url",
        text);
  }
}
