package io.millrace.client.mount;

import io.millrace.core.wire.NodeChannel;
import io.millrace.proto.Notice;
import java.util.function.Supplier;

/**
 * Takes notices from before the mount is up, when the kernel caches nothing and no lease is held.
 * The channel wants its listener before the first call, the mount's parts need the kernel first.
 */
record EarlyNotices(Supplier<KernelNotices> mounted) implements NodeChannel.NoticeListener {

  @Override
  public void notice(Notice notice) {
    KernelNotices notices = mounted.get();
    if (notices != null) {
      notices.notice(notice);
    }
  }

  @Override
  public void leasesLost() {
    KernelNotices notices = mounted.get();
    if (notices != null) {
      notices.leasesLost();
    }
  }

  @Override
  public void leaseAtRisk() {
    KernelNotices notices = mounted.get();
    if (notices != null) {
      notices.leaseAtRisk();
    }
  }
}
