package io.millrace.bench;

import io.millrace.core.api.Bucket;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A bucket that only lists: the keys of a training set, 1,000 files in each directory, made while a
 * page of them is asked for, so that it costs no memory. The same number always stands for the same
 * key, size, etag and time.
 */
final class ListedBucket implements Bucket {
  private static final int PER_DIRECTORY = 1000;
  private static final int FIRST_SYNSET = 1_440_764;
  private static final long FIRST_SECOND = 1_600_000_000L;
  private static final byte[] HEX = "0123456789abcdef".getBytes(StandardCharsets.US_ASCII);

  private final int objects;

  ListedBucket(int objects) {
    this.objects = objects;
  }

  /** As {@code train/n01440764/n01440764_0010026.JPEG}: padded, because a listing is sorted. */
  static String key(int i) {
    int directory = i / PER_DIRECTORY;
    String synset = padded("n", FIRST_SYNSET + directory, 8);
    return "train/" + synset + "/" + synset + padded("_", i % PER_DIRECTORY * 17, 5) + ".JPEG";
  }

  private static String padded(String before, int number, int digits) {
    String text = Integer.toString(number);
    return before + "0".repeat(Math.max(0, digits - text.length())) + text;
  }

  private static ObjectInfo info(int i) {
    long mixed = mix(i);
    long seconds = FIRST_SECOND + Long.remainderUnsigned(mixed, 100_000_000);
    int size = 4_000 + (int) Long.remainderUnsigned(mixed >>> 20, 120_000);
    return new ObjectInfo(key(i), size, etag(mixed), seconds * 1_000_000_000L, "");
  }

  private static String etag(long mixed) {
    byte[] digits = new byte[32];
    long second = mix(mixed);
    for (int d = 0; d < 16; d++) {
      digits[d] = HEX[(int) (mixed >>> (4 * d)) & 15];
      digits[16 + d] = HEX[(int) (second >>> (4 * d)) & 15];
    }
    return new String(digits, StandardCharsets.ISO_8859_1);
  }

  /** SplitMix64's: every bit of the number reaches every bit of the result. */
  private static long mix(long number) {
    long z = (number + 1) * 0x9E3779B97F4A7C15L;
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }

  @Override
  public Page list(String prefix, String token, String startAfter, String delimiter, int maxKeys) {
    if (!prefix.isEmpty() || !startAfter.isEmpty() || !delimiter.isEmpty()) {
      throw refused();
    }
    int from = token.isEmpty() ? 0 : Integer.parseInt(token);
    int to = Math.min(objects, from + Math.min(maxKeys, 1000));
    var page = new ArrayList<ObjectInfo>(to - from);
    for (int i = from; i < to; i++) {
      page.add(info(i));
    }
    return new Page(
        page, List.of(), to < objects ? Optional.of(Integer.toString(to)) : Optional.empty());
  }

  private static FsException refused() {
    return new FsException(Errno.EOPNOTSUPP, "this bucket only lists all of its keys");
  }

  @Override
  public String name() {
    return "s3://listed";
  }

  @Override
  public void check() {}

  @Override
  public Optional<ObjectHead> head(String key) {
    return Optional.empty();
  }

  @Override
  public int get(String key, String etag, long offset, MemorySegment target) {
    throw refused();
  }

  @Override
  public ObjectInfo put(
      String key,
      MemorySegment body,
      Map<String, String> metadata,
      String contentType,
      Condition condition) {
    throw refused();
  }

  @Override
  public ObjectInfo copy(
      String source, String sourceEtag, String target, Optional<Map<String, String>> metadata) {
    throw refused();
  }

  @Override
  public void delete(String key, Condition condition) {
    throw refused();
  }

  @Override
  public String beginUpload(String key, Map<String, String> metadata, String contentType) {
    throw refused();
  }

  @Override
  public String uploadPart(String key, String upload, int part, MemorySegment body) {
    throw refused();
  }

  @Override
  public String copyPart(
      String key, String upload, int part, String source, String etag, long offset, long length) {
    throw refused();
  }

  @Override
  public ObjectInfo completeUpload(
      String key, String upload, List<String> etags, Condition condition) {
    throw refused();
  }

  @Override
  public void abortUpload(String key, String upload) {}

  @Override
  public Abilities abilities() {
    return new Abilities(true, true, true);
  }

  @Override
  public void close() {}
}
