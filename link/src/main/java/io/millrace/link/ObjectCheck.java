package io.millrace.link;

import io.millrace.core.api.Bucket;
import io.millrace.core.api.Bucket.ObjectInfo;
import io.millrace.proto.Inode;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Whether objects are still the ones recorded, just before their content here is released (S20):
 * one page of the listing for many files of a directory, a HEAD each for few.
 */
final class ObjectCheck {
  private static final int LIST_FROM = 16;
  private static final int PAGE = 1000;

  /** What the bucket has in place of a recorded object. */
  enum Verdict {
    SAME,
    CHANGED,
    GONE
  }

  private final LinkParts parts;
  private final LinkBucket bucket;

  ObjectCheck(LinkParts parts, LinkBucket bucket) {
    this.parts = parts;
    this.bucket = bucket;
  }

  /**
   * @param files of one directory, in the order of their names
   */
  Map<Long, Verdict> of(List<Inode> files) {
    var keys = new HashMap<String, Inode>();
    String first = null;
    String last = null;
    for (Inode file : files) {
      String key = parts.namespace().objectKey(file.getIno());
      keys.put(key, file);
      first = first == null || key.compareTo(first) < 0 ? key : first;
      last = last == null || key.compareTo(last) > 0 ? key : last;
    }
    var verdicts = new HashMap<Long, Verdict>();
    if (files.size() >= LIST_FROM) {
      list(keys, first, last, verdicts);
    }
    keys.forEach((key, file) -> verdicts.computeIfAbsent(file.getIno(), ino -> head(key, file)));
    return verdicts;
  }

  private void list(Map<String, Inode> keys, String first, String last, Map<Long, Verdict> into) {
    String prefix = first.substring(0, first.lastIndexOf('/') + 1);
    String after =
        first.length() > prefix.length() + 1 ? first.substring(0, first.length() - 1) : "";
    String token = "";
    for (int page = 0; page <= keys.size() / 100; page++) {
      String at = token;
      Bucket.Page found =
          bucket
              .backOff()
              .retrying(
                  () -> bucket.bucket().list(prefix, at, at.isEmpty() ? after : "", "/", PAGE));
      for (ObjectInfo object : found.objects()) {
        Inode file = keys.get(object.key());
        if (file != null) {
          into.put(file.getIno(), verdict(file, object));
        }
      }
      boolean past =
          !found.objects().isEmpty() && found.objects().getLast().key().compareTo(last) >= 0;
      if (past || found.next().isEmpty()) {
        return;
      }
      token = found.next().get();
    }
  }

  private Verdict head(String key, Inode file) {
    Optional<Bucket.ObjectHead> head = bucket.backOff().retrying(() -> bucket.bucket().head(key));
    return head.map(h -> verdict(file, h.info())).orElse(Verdict.GONE);
  }

  private static Verdict verdict(Inode file, ObjectInfo object) {
    return ImportScan.same(file, object) ? Verdict.SAME : Verdict.CHANGED;
  }
}
