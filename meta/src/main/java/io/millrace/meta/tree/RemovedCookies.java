package io.millrace.meta.tree;

import com.google.protobuf.ByteString;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The names that the last removed entries had, so that a listing can go on after one of them: a
 * cookie names an entry, and the entry may be gone when the reader comes back to it. Only a memory:
 * bounded, empty after a start. Any thread.
 */
public final class RemovedCookies {
  private static final int ENTRIES_MAX = 1 << 14;

  private record Place(long dir, long cookie) {}

  private final Map<Place, ByteString> names =
      new LinkedHashMap<>() {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Place, ByteString> eldest) {
          return size() > ENTRIES_MAX;
        }
      };

  synchronized void removed(long dir, long cookie, byte[] name) {
    names.put(new Place(dir, cookie), ByteString.copyFrom(name));
  }

  /** Null where it is not known (any more). */
  public synchronized ByteString nameAt(long dir, long cookie) {
    return names.get(new Place(dir, cookie));
  }
}
