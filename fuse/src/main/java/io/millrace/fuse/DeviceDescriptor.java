package io.millrace.fuse;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * One open /dev/fuse descriptor. Exists because replies come from any thread, and a number that was
 * closed may by then name somebody else's file: a user enters before it writes and leaves after;
 * the last one out closes.
 */
final class DeviceDescriptor {
  private static final int CLOSING = 1 << 30;

  private final int fd;
  private final AtomicInteger users = new AtomicInteger();

  DeviceDescriptor(int fd) {
    this.fd = fd;
  }

  /** The number, valid for a worker, or between {@link #enter} and {@link #leave}. */
  int fd() {
    return fd;
  }

  /** False when the descriptor is closed or about to be. */
  boolean enter() {
    if ((users.incrementAndGet() & CLOSING) == 0) {
      return true;
    }
    leave();
    return false;
  }

  void leave() {
    if (users.decrementAndGet() == CLOSING) {
      closeNow();
    }
  }

  /** Closes once nobody is inside; second and later calls do nothing. */
  void close() {
    int before;
    do {
      before = users.get();
      if ((before & CLOSING) != 0) {
        return;
      }
    } while (!users.compareAndSet(before, before | CLOSING));
    if (before == 0) {
      closeNow();
    }
  }

  private void closeNow() {
    if (users.compareAndSet(CLOSING, CLOSING | 1 << 29)) {
      Native.close(new CallState(), fd);
    }
  }
}
