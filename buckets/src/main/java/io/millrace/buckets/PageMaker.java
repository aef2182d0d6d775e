package io.millrace.buckets;

import io.millrace.core.api.Bucket.ObjectInfo;
import io.millrace.core.api.Bucket.Page;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;

/**
 * Cuts sorted keys into LIST pages as S3 does: prefixes by delimiter, tokens, a limit that counts
 * both. One page, one thread. The token is the last thing handed out, so that keys which come and
 * go between two pages neither repeat nor hide others.
 */
final class PageMaker {
  private static final char AFTER_KEY = 'k';
  private static final char AFTER_PREFIX = 'p';

  /** Objects in key order, from {@code key} on. */
  interface SortedObjects {
    Iterator<ObjectInfo> from(String key, boolean inclusive);
  }

  private final SortedObjects source;
  private final String prefix;
  private final String delimiter;
  private final int maxKeys;
  private final List<ObjectInfo> objects = new ArrayList<>();
  private final List<String> prefixes = new ArrayList<>();
  private Optional<String> last = Optional.empty();

  PageMaker(SortedObjects source, String prefix, String delimiter, int maxKeys) {
    if (maxKeys <= 0) {
      throw new FsException(Errno.EINVAL, "a page holds at least one key", "maxKeys", maxKeys);
    }
    this.source = source;
    this.prefix = prefix;
    this.delimiter = delimiter;
    this.maxKeys = maxKeys;
  }

  Page page(String token, String startAfter) {
    Iterator<ObjectInfo> rest = token.isEmpty() ? fresh(startAfter) : resumed(token);
    while (rest.hasNext()) {
      ObjectInfo object = rest.next();
      if (!object.key().startsWith(prefix)) {
        break;
      }
      if (objects.size() + prefixes.size() == maxKeys) {
        return new Page(objects, prefixes, last);
      }
      rest = add(object, rest);
    }
    return new Page(objects, prefixes, Optional.empty());
  }

  private Iterator<ObjectInfo> fresh(String startAfter) {
    boolean beyondPrefix = KeyOrder.UTF8.compare(startAfter, prefix) >= 0 && !startAfter.isEmpty();
    return beyondPrefix ? source.from(startAfter, false) : source.from(prefix, true);
  }

  private Iterator<ObjectInfo> resumed(String token) {
    String value = token.substring(1);
    return switch (token.charAt(0)) {
      case AFTER_KEY -> source.from(value, false);
      case AFTER_PREFIX -> source.from(KeyOrder.after(value), true);
      default -> throw new FsException(Errno.EINVAL, "not a token of this bucket", "token", token);
    };
  }

  private Iterator<ObjectInfo> add(ObjectInfo object, Iterator<ObjectInfo> rest) {
    String key = object.key();
    int cut = delimiter.isEmpty() ? -1 : key.indexOf(delimiter, prefix.length());
    if (cut < 0) {
      objects.add(object);
      last = Optional.of(AFTER_KEY + key);
      return rest;
    }
    String group = key.substring(0, cut + delimiter.length());
    prefixes.add(group);
    last = Optional.of(AFTER_PREFIX + group);
    return source.from(KeyOrder.after(group), true);
  }
}
