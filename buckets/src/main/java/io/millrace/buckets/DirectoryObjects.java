package io.millrace.buckets;

import io.millrace.core.api.Bucket.ObjectInfo;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.NavigableMap;
import java.util.TreeMap;

/** The objects of a directory in key order: files as they lie, merged with those of odd keys. */
final class DirectoryObjects implements PageMaker.SortedObjects {
  private final DirectoryLayout layout;
  private final TreeMap<String, Path> odd = new TreeMap<>(KeyOrder.UTF8);

  /** Reads all odd keys: they are few. */
  DirectoryObjects(DirectoryLayout layout) throws IOException {
    this.layout = layout;
    if (Files.isDirectory(layout.odd())) {
      try (var paths = Files.walk(layout.odd())) {
        paths.filter(Files::isRegularFile).forEach(path -> odd.put(layout.oddKey(path), path));
      }
    }
  }

  @Override
  public Iterator<ObjectInfo> from(String key, boolean inclusive) {
    var plain = new DirectoryWalk(layout.root(), key, inclusive);
    return new Merged(plain, new TreeMap<>(odd.tailMap(key, inclusive)));
  }

  private static final class Merged implements Iterator<ObjectInfo> {
    private final DirectoryWalk plain;
    private final NavigableMap<String, Path> odd;
    private DirectoryWalk.Found head;
    private ObjectInfo next;

    Merged(DirectoryWalk plain, NavigableMap<String, Path> odd) {
      this.plain = plain;
      this.odd = odd;
      this.head = plain.hasNext() ? plain.next() : null;
      advance();
    }

    @Override
    public boolean hasNext() {
      return next != null;
    }

    @Override
    public ObjectInfo next() {
      ObjectInfo found = next;
      advance();
      return found;
    }

    /** Files that vanish between listing and look are left out. */
    private void advance() {
      next = null;
      while (next == null && (head != null || !odd.isEmpty())) {
        next = info(first());
      }
    }

    private DirectoryWalk.Found first() {
      boolean oddFirst =
          head == null || (!odd.isEmpty() && KeyOrder.UTF8.compare(odd.firstKey(), head.key()) < 0);
      if (oddFirst) {
        var entry = odd.pollFirstEntry();
        return new DirectoryWalk.Found(entry.getKey(), entry.getValue());
      }
      var found = head;
      head = plain.hasNext() ? plain.next() : null;
      return found;
    }

    private static ObjectInfo info(DirectoryWalk.Found found) {
      try {
        return FileVersion.of(found.path()).info(found.key());
      } catch (NoSuchFileException e) {
        return null;
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }
}
