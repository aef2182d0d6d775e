package io.millrace.fuse;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What serving a request allocates, once compiled. */
@Timeout(60)
class AllocationTest {
  private static final int WINDOW = 10_000;
  private static final int WINDOWS_MAX = 20;

  private final MemorySegment page = Arena.ofAuto().allocate(4096);
  private final byte[] name = new byte[1024];

  /**
   * Answers without allocating, and measures what its worker has allocated between two requests.
   */
  private final class Plain implements FuseFileSystem {
    private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private int served;
    private long start;
    private volatile long least = Long.MAX_VALUE;

    private void count() {
      served++;
      if (served % WINDOW == 0) {
        long now = threads.getCurrentThreadAllocatedBytes();
        least = Math.min(least, now - start);
        start = now;
      }
    }

    @Override
    public void lookup(FuseRequest r, long parent) {
      count();
      int length = r.copyName(name);
      EntryOut e = r.entryOut().nodeid(2 + length % 2).ttl(1, 1);
      e.attributes().size(4096).mode(0100644);
      r.entry(e);
    }

    @Override
    public void getattr(FuseRequest r, long nodeid, long fh) {
      count();
      r.attr(r.attributesOut().ino(nodeid), 0);
    }

    @Override
    public void open(FuseRequest r, long nodeid, int flags) {
      count();
      r.opened(1, OpenReplyFlags.KEEP_CACHE);
    }

    @Override
    public void read(FuseRequest r, long nodeid, long fh, long offset, int size) {
      count();
      r.data(page, 0, Math.min(size, 4096));
    }

    @Override
    public void release(FuseRequest r, long nodeid, long fh, int flags) {
      count();
      r.ok();
    }

    @Override
    public void readdir(FuseRequest r, long nodeid, long fh, long cookie) {
      count();
      DirectoryBuffer out = r.directoryBuffer();
      EntryOut e = r.entryOut();
      int i = 2;
      while (out.add(name, 0, 20, i, e.nodeid(i))) {
        i++;
      }
      r.directory(out);
    }
  }

  @Test
  void theHotPathsAllocateNothing() throws Exception {
    var kernel = new FakeKernel();
    var fs = new Plain();
    FuseSession session = kernel.serve(fs, 1);
    for (int i = 0; fs.least >= WINDOW && i < WINDOW * WINDOWS_MAX; i++) {
      ask(kernel, i);
    }
    assertTrue(fs.least < WINDOW, () -> fs.least + " bytes in 10,000 requests");
    kernel.hangUp();
    assertEquals(FuseSession.End.FAILED, session.ended().get(10, TimeUnit.SECONDS));
    kernel.close();
  }

  private static void ask(FakeKernel kernel, int i) {
    switch (i % 6) {
      case 0 -> kernel.send(FuseOpcode.LOOKUP, 2, 1, "name");
      case 1 -> kernel.send(FuseOpcode.GETATTR, 2, 1, 0, 0, 0L);
      case 2 -> kernel.send(FuseOpcode.OPEN, 2, 1, 0, 0);
      case 3 -> kernel.send(FuseOpcode.READ, 2, 1, 1L, 0L, 4096, 0, 0L, 0, 0);
      case 4 -> kernel.send(FuseOpcode.RELEASE, 2, 1, 1L, 0, 0, 0L);
      default -> kernel.send(FuseOpcode.READDIRPLUS, 2, 1, 1L, 0L, 1000, 0, 0L, 0, 0);
    }
    kernel.receive();
    if (i % 6 == 0) {
      kernel.send(FuseOpcode.FORGET, 4, 2, 1L);
    }
  }
}
