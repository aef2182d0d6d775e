package io.millrace.node;

import io.millrace.proto.Notice;
import io.millrace.proto.NoticeItem;
import io.millrace.proto.NoticeKind;
import java.util.HashSet;
import java.util.Set;

/** One notice that a session has not acknowledged. Guarded by its session's lock. */
final class SentNotice {
  final Notice notice;
  final Announcement announcement;
  final long deadlineNanos;

  /** Content leases granted anew since it was sent: its acknowledgement doesn't end those. */
  private final Set<Long> grantedSince = new HashSet<>();

  SentNotice(Notice notice, Announcement announcement, long deadlineNanos) {
    this.notice = notice;
    this.announcement = announcement;
    this.deadlineNanos = deadlineNanos;
  }

  void granted(long ino) {
    for (NoticeItem item : notice.getItemsList()) {
      if (item.getIno() == ino && endsContentLease(item)) {
        grantedSince.add(ino);
      }
    }
  }

  /** The content lease that the acknowledgement of this item gives back; 0 for none. */
  long endedContentLease(NoticeItem item, Set<Long> open) {
    boolean ends =
        endsContentLease(item)
            && !grantedSince.contains(item.getIno())
            && !open.contains(item.getIno());
    return ends ? item.getIno() : 0;
  }

  static boolean endsDirectoryLease(NoticeItem item) {
    return item.getKind() == NoticeKind.ENTRY_CHANGED && item.getName().isEmpty();
  }

  private static boolean endsContentLease(NoticeItem item) {
    return item.getKind() == NoticeKind.CONTENT_CHANGED
        || item.getKind() == NoticeKind.CONTENT_RECALL;
  }
}
