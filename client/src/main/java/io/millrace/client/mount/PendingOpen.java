package io.millrace.client.mount;

import java.util.concurrent.atomic.AtomicBoolean;

/**
 * An open that is not answered yet counts as one: so a notice that the file has lost its name, or a
 * list of what is open, that comes between the question and its handle doesn't miss it (H10). Ended
 * once, when there is a handle or will never be. Any thread.
 */
final class PendingOpen {
  private final MountContext context;
  private final long ino;
  private final AtomicBoolean ended = new AtomicBoolean();

  PendingOpen(MountContext context, long ino) {
    this.context = context;
    this.ino = ino;
    context.open().use(ino);
  }

  void end() {
    if (ended.compareAndSet(false, true) && context.open().release(ino)) {
      context.orphans().add(ino);
    }
  }
}
