package io.millrace.link;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Why the last read of an inode's content failed, for {@code user.millrace.reason}. Any thread. At
 * most {@value #MOST} inodes; the oldest reason is forgotten first.
 */
final class FailureReasons {
  static final int MOST = 4096;

  private final Map<Long, String> reasons =
      new LinkedHashMap<>() {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Long, String> eldest) {
          return size() > MOST;
        }
      };

  synchronized void put(long ino, String reason) {
    reasons.put(ino, reason);
  }

  synchronized void forget(long ino) {
    reasons.remove(ino);
  }

  synchronized Optional<String> of(long ino) {
    return Optional.ofNullable(reasons.get(ino));
  }
}
