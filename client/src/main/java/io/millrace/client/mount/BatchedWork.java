package io.millrace.client.mount;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * Inodes that something is to be done about soon, many at once: leases to give up, orphans to reap.
 * Sent when full, and by the mount's clock. Any thread.
 */
final class BatchedWork {
  private final int batch;
  private final Consumer<List<Long>> sender;
  private List<Long> waiting = new ArrayList<>();

  BatchedWork(int batch, Consumer<List<Long>> sender) {
    this.batch = batch;
    this.sender = sender;
  }

  void add(long ino) {
    List<Long> full = null;
    synchronized (this) {
      waiting.add(ino);
      if (waiting.size() >= batch) {
        full = take();
      }
    }
    if (full != null) {
      sender.accept(full);
    }
  }

  void flush() {
    List<Long> rest;
    synchronized (this) {
      rest = take();
    }
    if (!rest.isEmpty()) {
      sender.accept(rest);
    }
  }

  private List<Long> take() {
    List<Long> taken = waiting;
    waiting = new ArrayList<>();
    return taken;
  }
}
