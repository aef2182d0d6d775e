package io.millrace.core.wire;

import io.millrace.proto.Notice;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** What a client was told, in order: a notice's id, "lost" or "risk". */
final class RecordingListener implements NodeChannel.NoticeListener {
  private final BlockingQueue<String> events = new LinkedBlockingQueue<>();

  @Override
  public void notice(Notice notice) {
    events.add("notice " + notice.getId());
  }

  @Override
  public void leasesLost() {
    events.add("lost");
  }

  @Override
  public void leaseAtRisk() {
    events.add("risk");
  }

  String next() throws InterruptedException {
    return events.poll(10, TimeUnit.SECONDS);
  }

  int waiting() {
    return events.size();
  }
}
