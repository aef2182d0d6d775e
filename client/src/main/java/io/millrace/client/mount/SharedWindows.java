package io.millrace.client.mount;

import io.millrace.client.ReadAhead;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.LongFunction;

/**
 * Read-ahead windows of readers without handles: one for each of the files read last. Any thread.
 */
final class SharedWindows {
  private static final int FILES_MAX = 64;

  private final LongFunction<ReadAhead> maker;
  private final Map<Long, ReadAhead> windows = new LinkedHashMap<>(16, 0.75f, true);

  SharedWindows(LongFunction<ReadAhead> maker) {
    this.maker = maker;
  }

  /** Null at the start of a file: most files end there. */
  synchronized ReadAhead window(long ino, long offset) {
    if (offset == 0) {
      return windows.get(ino);
    }
    ReadAhead window = windows.computeIfAbsent(ino, maker::apply);
    if (windows.size() > FILES_MAX) {
      var eldest = windows.entrySet().iterator();
      ReadAhead oldest = eldest.next().getValue();
      eldest.remove();
      oldest.close();
    }
    return window;
  }

  synchronized void clear() {
    windows.values().forEach(ReadAhead::close);
    windows.clear();
  }
}
