package io.millrace.core.cache;

/** What a block may push out of a full cache. */
public enum Admission {
  /**
   * Someone asked for it: it may replace what was used clearly less often lately, or is idle. Ties
   * are refused.
   */
  ASKED_FOR,
  /** Nobody asked yet (preload, read-ahead, new data): free room and idle entries only. */
  SPARE_ROOM
}
