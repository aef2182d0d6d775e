package io.millrace.core.lock;

/** The two kinds of lock of a file, which don't see each other. */
public enum LockSpace {
  /** Byte ranges: fcntl(2), of a process or of an open file description. */
  FCNTL,
  /** The whole file: flock(2), of an open file description. */
  FLOCK
}
