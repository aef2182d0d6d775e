package io.millrace.core.wire;

import io.millrace.proto.Notice;

/** Before a listener is set: no lease was asked for, so nothing can be missed. */
enum NoNotices implements NodeChannel.NoticeListener {
  INSTANCE;

  @Override
  public void notice(Notice notice) {}

  @Override
  public void leasesLost() {}

  @Override
  public void leaseAtRisk() {}
}
