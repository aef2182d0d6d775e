package io.millrace.core.wire;

import io.millrace.core.wire.NodeChannel.NoticeListener;
import io.millrace.proto.Notice;
import java.util.ArrayList;
import java.util.List;

/**
 * Hands notices on to the channel's listener; what comes before there is one waits for it. A new
 * session has nothing to hear then, but one that is gone on with owes answers. Any thread.
 */
final class HeldNotices implements NoticeListener {
  private final List<Notice> waiting = new ArrayList<>();
  private boolean lost;
  private volatile NoticeListener listener;

  synchronized void passTo(NoticeListener to) {
    if (lost) {
      to.leasesLost();
    }
    waiting.forEach(to::notice);
    waiting.clear();
    listener = to;
  }

  @Override
  public void notice(Notice notice) {
    NoticeListener to = listener;
    if (to == null) {
      to = hold(notice);
    }
    if (to != null) {
      to.notice(notice);
    }
  }

  private synchronized NoticeListener hold(Notice notice) {
    if (listener == null) {
      waiting.add(notice);
    }
    return listener;
  }

  @Override
  public void leasesLost() {
    NoticeListener to = listener;
    if (to == null) {
      to = holdLoss();
    }
    if (to != null) {
      to.leasesLost();
    }
  }

  @Override
  public void leaseAtRisk() {
    NoticeListener to = listener;
    if (to == null) {
      to = holdLoss();
    }
    if (to != null) {
      to.leaseAtRisk();
    }
  }

  private synchronized NoticeListener holdLoss() {
    lost |= listener == null;
    return listener;
  }
}
