package io.millrace.core.cache;

/** Whether a look-up counts as a use of the block: for statistics and for admission. */
public enum Use {
  COUNTED,
  /** A first look of two: where it finds nothing, the second one counts. */
  COUNTED_IF_HIT,
  /** Part of a use that is counted elsewhere (a block that is read piece by piece). */
  UNCOUNTED
}
